/* host/completion.h - Tab in the line editor. */
#ifndef RILLE_COMPLETION_H
#define RILLE_COMPLETION_H

#include <histedit.h>
#include <lua.h>

/* Takes the function on top of the stack, or nil, as the one to ask; see completion.c. */
void rille_completion_set(lua_State *L);

/* What an editor function bound to Tab does and returns.  Raises nothing: an error of the function is a beep. */
unsigned char rille_completion_tab(EditLine *edit, lua_State *L);

#endif
