/* core/bind/session_look.c - where a database that counts by itself saw its history last: the driver looks behind each
** commit, and a token is made of that only where it is asked for. */
#include <lauxlib.h>
#include <string.h>

#include "core/bind/database.h"
#include "core/bind/ends.h"
#include "core/bind/session.h"
#include "core/bind/value.h"
#include "core/run/history.h"

/* db:track(on) -> whether it can: from now on each commit, and each statement outside of transactions, looks where the
** history is */
static int
session_track(lua_State *L)
{
  rille_lua_database *database = rille_lua_check_database(L, 1);
  bool can = database->driver->track != NULL;

  rille_lua_hold(database);
  database->tracks = can && lua_toboolean(L, 2) != 0;
  if (!database->tracks)
    database->looked = database->last;
  for (int i = 0; can && i < database->count; i++)
    database->driver->track(database->connections[i]->conn, database->tracks);
  rille_lua_settle(database);
  lua_pushboolean(L, can);
  return 1;
}

/* Pushes where the last look of the connection saw it, as its token begins. */
static int
push_seen(lua_State *L, rille_lua_database *database, rille_connection *connection)
{
  const rille_history *history = database->history;
  char text[RILLE_PLACE_BYTES + 1];
  rille_place place;

  if (database->driver->tracked == NULL || connection == NULL ||
      !database->driver->tracked(connection->conn, &place.epoch, &place.position))
    return 0;
  if (history == NULL || history->count == 0 || history->now.epoch != place.epoch)
    history = rille_lua_history_now(L); /* another server goes on with the history */
  if (history == NULL || history->now.epoch != place.epoch)
    return 0;
  place.cluster = history->now.cluster;
  place.nonce = history->now.nonce;
  place.bound = 0;
  database->signer = (rille_lua_signer){ .known = true, .cluster = place.cluster };
  memcpy(database->signer.secret, history->secret, RILLE_SECRET_BYTES);
  rille_place_write(&place, text);
  (void)lua_pushlstring(L, text, RILLE_PLACE_BYTES);
  return 1;
}

/* db:seen() -> the place that was seen behind the last thing that was done before db:track(false), or behind something
** later; nil when there was no look since db:track(true).  It is a token that is not signed: there is a look behind
** each commit, and few of them are asked for. */
static int
session_seen(lua_State *L)
{
  rille_lua_database *database = rille_lua_check_database(L, 1);
  rille_connection *connection = NULL;
  int pushed;

  rille_lua_hold(database);
  for (int i = 0; i < database->count; i++)
    if (database->connections[i] == database->looked)
      connection = database->connections[i];
  pushed = push_seen(L, database, connection);
  rille_lua_settle(database);
  return pushed;
}

/* db:sign(place) -> the token of a place that db:seen() gave; nil where the database keeps another history now */
static int
session_sign(lua_State *L)
{
  const rille_lua_signer *signer = &rille_lua_check_database(L, 1)->signer;
  rille_str text = rille_lua_check_text(L, 2, "a place");
  char token[RILLE_TOKEN_BYTES + 1];
  rille_place place;

  if (text.len != RILLE_PLACE_BYTES || !rille_place_read(text, &place))
    return rille_lua_refuse(L, "this is no place");
  if (!signer->known || signer->cluster != place.cluster)
    return 0;
  memcpy(token, text.at, text.len);
  rille_place_sign(token, signer->secret);
  (void)lua_pushlstring(L, token, RILLE_TOKEN_BYTES);
  return 1;
}

/* db:look() -> the same as db:token() or db:seen(), and less work where the database itself counts */
static int
session_look(lua_State *L)
{
  rille_lua_database *database = rille_lua_check_database(L, 1);
  rille_status status;
  rille_fault fault;
  int pushed;

  if (database->driver->look == NULL || database->history == NULL || database->history->count == 0)
    return rille_lua_session_token(L);
  status = database->driver->look(rille_lua_connection(L, database)->conn, &fault);
  pushed = status == RILLE_OK ? push_seen(L, database, database->last) : 0;
  rille_lua_settle(database);
  if (status != RILLE_OK)
    return rille_lua_raise(L, &fault, (rille_str){ 0 });
  return pushed > 0 ? 1 : rille_lua_session_token(L);
}

/* db:generation() -> a greater number after each connecting, to what may be another server */
static int
session_generation(lua_State *L)
{
  rille_lua_database *database = rille_lua_check_database(L, 1);

  rille_lua_hold(database);
  for (int i = 0; database->driver->generation != NULL && i < database->count; i++) {
    uint64_t generation = database->driver->generation(database->connections[i]->conn);

    if (generation > database->generation)
      database->generation = generation;
  }
  rille_lua_settle(database);
  lua_pushinteger(L, (lua_Integer)(database->driver->generation != NULL ? database->generation : database->opened));
  return 1;
}

const luaL_Reg rille_lua_session_look_methods[] = {
  { "track", session_track },           { "seen", session_seen }, { "sign", session_sign }, { "look", session_look },
  { "generation", session_generation }, { NULL, NULL },
};
