/* core/bind/tenant.h - whose rows a coroutine may see, put into each statement that it makes. */
#ifndef RILLE_BIND_TENANT_H
#define RILLE_BIND_TENANT_H

#include "core/bind/source.h"
#include "core/bind/work.h"

/* Says on `source`, which stands for `of` at `index`, whose rows are meant.  Nothing to do for a table that is not
** guarded; of a view and the like Lua is asked, which may raise.  Raises tenant_required where a tenant
** must be set and none is. */
void rille_lua_guard(lua_State *L, rille_work *work, const rille_lua_source *of, int index, rille_source *source);

/* Whose rows the coroutine sees, for a database that keeps tenants apart by itself; outside of tenants everybody's.
** The texts are borrowed from what is pushed, which the caller takes off. */
void rille_lua_whose(lua_State *L, rille_str *tenant, rille_str *everybody);

/* What an insert into the guarded source assigns to the tenant's column: true when that is *cell, as the caller had it
** (`given`) or as the current tenant says; false when it is left out.  Raises tenant_mismatch for another tenant's
** value. */
bool rille_lua_stamp(lua_State *L, rille_work *work, const rille_source *source, rille_cell *cell, bool given);

/* Raises tenant_mismatch when `cell`, assigned to the tenant's column of the source, would move rows to another
** tenant; NULL is a value that only the database will know, as of an increment. */
void rille_lua_check_tenant(lua_State *L, rille_work *work, const rille_source *source, const rille_cell *cell);

/* Does it depend on whose rows the coroutine sees what the work's statement reads? */
bool rille_lua_has_view(const rille_work *work);

/* Notes under which context the cursor reads; the table at that absolute index keeps it at `key`. */
void rille_lua_keep_view(lua_State *L, rille_work *work, int index, int key);

/* Does the coroutine see the rows that it saw when rille_lua_keep_view noted that for the work, the userdata at that
** index, in the table that is its user value?  Raises tenant_mismatch if not and rows of tenants are read; false where
** only whoever is asked can tell, as before a statement. */
bool rille_lua_same_view(lua_State *L, const rille_work *work, int index, int key);

/* Raises tenant_required inside a tenant: a part of a query that is the caller's own SQL reads tables by itself, and
** nobody knows whose rows. */
void rille_lua_check_raw(lua_State *L);

/* Were the relations in the table at `index` loaded under the view that the coroutine has now?  Those of a record that
** belongs to nobody are shared by all tenants; what they gave to one is not shown to another. */
bool rille_lua_relations_fit(lua_State *L, int index);

#endif
