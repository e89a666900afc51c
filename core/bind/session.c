/* core/bind/session.c - where a database is in its history, as the tokens of sessions say it. */
#include <lauxlib.h>

#include "core/base/shown.h"
#include "core/bind/database.h"
#include "core/bind/ends.h"
#include "core/bind/value.h"
#include "core/run/history.h"

/* db:count(on): from now on each commit of a transaction that wrote is a position in the history */
static int
session_count(lua_State *L)
{
  rille_lua_database *database = rille_lua_check_database(L, 1);

  database->counts = lua_toboolean(L, 2) != 0;
  rille_lua_hold(database);
  for (int i = 0; i < database->count; i++)
    database->connections[i]->counts = database->counts;
  rille_lua_settle(database);
  return 0;
}

/* Makes the tables of the history in a transaction of their own. */
static rille_status
create(rille_connection *connection, rille_fault *fault)
{
  rille_status status = rille_connection_begin(connection, RILLE_BEGIN_IMMEDIATE, NULL, fault);

  if (status != RILLE_OK)
    return status;
  status = rille_history_create(connection, fault);
  if (status == RILLE_OK)
    status = rille_connection_commit(connection, fault);
  if (status != RILLE_OK)
    (void)rille_connection_rollback(connection, NULL);
  return status;
}

/* Reads the history, and makes it where there is none and something can be written. */
static rille_status
read_history(rille_connection *connection, rille_history *history, bool *found, rille_fault *fault)
{
  rille_status status = rille_history_read(connection, history, found, fault);

  if (status != RILLE_OK || *found)
    return status;
  status = create(connection, fault);
  if (status == RILLE_OK)
    status = rille_history_read(connection, history, found, fault);
  return status == RILLE_READONLY || status == RILLE_BUSY ? RILLE_OK : status;
}

/* Reads the history of the database at 1; false when it keeps none and cannot. */
static bool
history_of(lua_State *L, rille_history *history)
{
  rille_lua_database *database = rille_lua_check_database(L, 1);
  rille_fault fault;
  bool found = false;
  rille_status status = read_history(rille_lua_connection(L, database), history, &found, &fault);

  rille_lua_settle(database);
  if (status != RILLE_OK)
    (void)rille_lua_raise(L, &fault, (rille_str){ 0 });
  return found;
}

/* db:token() -> the token of what is committed now; nil where the database can keep no history */
static int
session_token(lua_State *L)
{
  rille_history history;
  char text[RILLE_TOKEN_BYTES + 1];

  if (!history_of(L, &history))
    return 0;
  rille_token_write(&history.now, history.secret, text);
  (void)lua_pushlstring(L, text, RILLE_TOKEN_BYTES);
  return 1;
}

/* db:judge(token) -> "there", "ahead", "lost", "unsure" or "foreign"; raises invalid_token for what is no token, or one
** of this database that it did not make */
static int
session_judge(lua_State *L)
{
  static const char *const words[] = { "there", "ahead", "lost", "unsure", "foreign" };
  rille_str text = rille_lua_check_text(L, 2, "a token");
  rille_verdict verdict = RILLE_PLACE_FOREIGN;
  rille_history history;
  rille_place place;
  rille_fault fault;

  if (rille_token_read(text, &place, &fault) != RILLE_OK)
    return rille_lua_raise(L, &fault, (rille_str){ 0 });
  if (history_of(L, &history))
    verdict = rille_history_judge(&history, &place);
  if (verdict != RILLE_PLACE_FOREIGN && !rille_token_is_signed(text, history.secret)) {
    (void)rille_fault_set(&fault, RILLE_INVALID_TOKEN, "the token \"%s\" was not made by this database",
                          rille_show(text).text);
    rille_fault_hint(&fault, "somebody changed it, or made it up");
    return rille_lua_raise(L, &fault, (rille_str){ 0 });
  }
  lua_pushstring(L, words[verdict]);
  return 1;
}

const luaL_Reg rille_lua_session_methods[] = {
  { "count", session_count },
  { "token", session_token },
  { "judge", session_judge },
  { NULL, NULL },
};
