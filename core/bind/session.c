/* core/bind/session.c - where a database is in its history, as the tokens of sessions say it. */
#include <lauxlib.h>

#include "core/base/memory.h"
#include "core/base/shown.h"
#include "core/bind/database.h"
#include "core/bind/ends.h"
#include "core/bind/session.h"
#include "core/bind/value.h"
#include "core/run/aside.h"
#include "core/run/history.h"

/* db:count(on): from now on each commit of a transaction that wrote is a position in the history, unless the database
** itself counts */
static int
session_count(lua_State *L)
{
  rille_lua_database *database = rille_lua_check_database(L, 1);

  database->counts = lua_toboolean(L, 2) != 0 && database->driver->place == NULL;
  rille_lua_hold(database);
  for (int i = 0; i < database->count; i++)
    database->connections[i]->counts = database->counts;
  rille_lua_settle(database);
  return 0;
}

/* Makes the tables of the history, or adds to them, in a transaction of their own. */
static rille_status
create(rille_connection *connection, bool there, rille_fault *fault)
{
  rille_status status = rille_connection_begin(connection, RILLE_BEGIN_IMMEDIATE, NULL, fault);

  if (status != RILLE_OK)
    return status;
  status = rille_history_create(connection, there, fault);
  if (status == RILLE_OK)
    status = rille_connection_commit(connection, fault);
  if (status != RILLE_OK)
    (void)rille_connection_rollback(connection, NULL);
  return status;
}

/* Reads the history, and makes or completes it where something can be written.  Another process may do that at the
** same moment: then its tables stand. */
static rille_status
read_history(rille_connection *connection, bool makes, rille_history *history, bool *found, rille_fault *fault)
{
  rille_status status = rille_history_read(connection, NULL, history, found, fault), made;
  rille_fault why;

  if (status != RILLE_OK || !makes || (*found && !history->stale))
    return status;
  made = create(connection, *found, &why);
  if (made == RILLE_OK || made == RILLE_UNIQUE_VIOLATION)
    return rille_history_read(connection, NULL, history, found, fault);
  if (made != RILLE_READONLY && made != RILLE_BUSY)
    *fault = why;
  return made == RILLE_READONLY || made == RILLE_BUSY ? RILLE_OK : made;
}

/* The history of the database at 1, kept there; not read yet. */
static rille_history *
history_of(lua_State *L)
{
  rille_lua_database *database = rille_lua_check_database(L, 1);

  if (database->history == NULL)
    database->history = rille_memory_get(sizeof *database->history);
  if (database->history == NULL)
    (void)rille_lua_no_memory(L);
  database->history->count = 0; /* nothing, should the reading fail */
  return database->history;
}

const rille_history *
rille_lua_history_now(lua_State *L)
{
  rille_lua_database *database = rille_lua_check_database(L, 1);
  rille_history *history = history_of(L);
  rille_fault fault;
  bool found = false;
  rille_status status = read_history(rille_lua_connection(L, database), true, history, &found, &fault);

  rille_lua_settle(database);
  if (status != RILLE_OK)
    (void)rille_lua_raise(L, &fault, (rille_str){ 0 });
  return found && !history->stale ? history : NULL;
}

static int
push_token(lua_State *L, const rille_place *place, const rille_history *history)
{
  char text[RILLE_TOKEN_BYTES + 1];

  rille_token_write(place, history->secret, text);
  (void)lua_pushlstring(L, text, RILLE_TOKEN_BYTES);
  return 1;
}

/* Whatever stands behind a position ends behind it. */
static int
push_more(lua_State *L, const rille_history *history)
{
  rille_place more = history->now;

  more.position++;
  return push_token(L, &more, history) + push_token(L, &history->now, history);
}

/* True when the connection, which has last seen that version, sees what it saw when the last token was made. */
static bool
sees_the_same(const rille_lua_database *database, rille_connection *connection, uint32_t version)
{
  const rille_lua_known *known = &database->known;
  rille_arena none = { 0 }; /* the answer is no text */
  bool found = false;
  rille_cell one;

  return known->connection == connection && known->opened == database->opened &&
         known->version == version && /* it has not seen another one yet */
         rille_aside_row(connection, "select 1 from rille_history", NULL, 0, &none, &one, 1, &found, NULL) ==
           RILLE_OK &&
         version == database->driver->data_version(connection->conn);
}

/* True when what was committed until then is not in the history any more, or nobody knows. */
static bool
is_gone(rille_connection *connection, const rille_place *before, const rille_place *now)
{
  rille_history history;
  bool found = false;

  if (before->epoch == now->epoch && before->nonce == now->nonce)
    return now->position < before->position;
  return rille_history_read(connection, before, &history, &found, NULL) == RILLE_OK &&
         (!found || rille_history_judge(&history, before) != RILLE_PLACE_THERE);
}

/* The database is at another place than it was when the connection was there last: a later one, unless somebody has put
** a backup into it since.  That is known of its era: the backup may be newer than that place, and older than what
** statements have seen since. */
static void
saw(rille_lua_database *database, rille_connection *connection, const rille_history *history)
{
  const rille_sight now = { history->now, history->era };
  rille_sight before = connection->seen;
  bool new_era = now.era != before.era && now.era != database->seen.era;

  if (database->driver->data_version == NULL || connection->depth > 0)
    return; /* a place of its own log; or what is not committed yet */
  connection->seen = database->seen = now;
  if (before.place.cluster != now.place.cluster)
    return;
  if (new_era || is_gone(connection, &before.place, &now.place))
    database->went_back++;
}

/* The token of what the connection sees, which is kept to be given again; *found is false when there is none. */
static rille_status
make_token(rille_lua_database *database, rille_connection *connection, bool makes, bool *found,
           char text[RILLE_TOKEN_BYTES + 1], rille_fault *fault)
{
  uint32_t (*version_of)(rille_conn *) = database->driver->data_version;
  uint32_t version_now = version_of != NULL ? version_of(connection->conn) : 0;
  rille_history *history = database->history != NULL ? database->history : rille_memory_get(sizeof *history);
  rille_status status;

  if (history == NULL)
    return rille_fault_no_memory(fault);
  database->history = history;
  history->count = 0; /* nothing, should the reading fail */
  status = read_history(connection, makes, history, found, fault);
  *found = status == RILLE_OK && *found && !history->stale;
  if (!*found)
    return status;
  rille_token_write(&history->now, history->secret, text);
  saw(database, connection, history);
  if (version_of != NULL && connection->depth == 0 && version_now == version_of(connection->conn)) {
    database->known = (rille_lua_known){ .connection = connection, .opened = database->opened, .version = version_now };
    memcpy(database->known.token, text, RILLE_TOKEN_BYTES); /* all of it was read at one moment */
  }
  return status;
}

/* db:token([makes]) -> the token of what is committed now; nil where the database keeps no history, and can or
** (makes == false) shall not begin to, or does not say where in it it is.  A session asks for it whenever it has done
** something: where nothing has changed the last one is given again, for a small part of the work.
**
** Of a replica that may have shown more than it surely has it is the token of that, and the other one comes second.
** Where the database does not count by itself, how often it went back so far does (see saw). */
int
rille_lua_session_token(lua_State *L)
{
  rille_lua_database *database = rille_lua_check_database(L, 1);
  bool makes = !lua_isboolean(L, 2) || lua_toboolean(L, 2) != 0, found = false;
  char text[RILLE_TOKEN_BYTES + 1];
  rille_status status = RILLE_OK;
  rille_connection *connection;
  rille_fault fault;

  rille_lua_look_again(database);
  connection = rille_lua_connection(L, database);
  if (database->driver->data_version != NULL)
    found = sees_the_same(database, connection, database->driver->data_version(connection->conn));
  if (found)
    memcpy(text, database->known.token, RILLE_TOKEN_BYTES);
  else
    status = make_token(database, connection, makes, &found, text, &fault);
  rille_lua_settle(database);
  if (status != RILLE_OK)
    return rille_lua_raise(L, &fault, (rille_str){ 0 });
  if (!found)
    return 0;
  if (database->driver->data_version == NULL && database->history->more)
    return push_more(L, database->history);
  (void)lua_pushlstring(L, text, RILLE_TOKEN_BYTES);
  if (database->driver->data_version == NULL)
    return 1;
  lua_pushinteger(L, database->went_back);
  return 2;
}

/* db:look_again() -> how often it went back so far, as db:token(); finds out whether the database is still what is at
** its path; cheap */
static int
session_look_again(lua_State *L)
{
  rille_lua_database *database = rille_lua_check_database(L, 1);

  rille_lua_look_again(database);
  lua_pushinteger(L, database->went_back);
  return 1;
}

/* Reads what there is to judge the place by.  A primary that was promoted writes down first where its epoch began. */
static rille_status
judged_history(rille_connection *connection, const rille_place *place, rille_history *history, bool *found,
               rille_fault *fault)
{
  rille_status status = rille_history_read(connection, place, history, found, fault), made;

  if (status != RILLE_OK || !*found || !history->stale || history->replica)
    return status;
  made = create(connection, true, NULL);
  if (made != RILLE_OK && made != RILLE_UNIQUE_VIOLATION)
    return RILLE_OK; /* it stays stale */
  return rille_history_read(connection, place, history, found, fault);
}

/* db:judge(token) -> "there", "ahead", "lost", "unsure" or "foreign"; raises invalid_token for what is no token, or one
** of this database that it did not make.  db:judge(place, true): what a session was given here needs no signature. */
static int
session_judge(lua_State *L)
{
  static const char *const words[] = { "there", "ahead", "lost", "unsure", "foreign" };
  rille_str text = rille_lua_check_text(L, 2, "a token");
  rille_verdict verdict = RILLE_PLACE_FOREIGN;
  rille_lua_database *database = rille_lua_check_database(L, 1);
  rille_history *history = history_of(L);
  rille_connection *connection;
  rille_status status;
  rille_place place;
  rille_fault fault;
  bool found = false, own = lua_toboolean(L, 3) != 0;

  if (!(own && rille_place_read(text, &place)) && rille_token_read(text, &place, &fault) != RILLE_OK)
    return rille_lua_raise(L, &fault, (rille_str){ 0 });
  rille_lua_look_again(database);
  connection = rille_lua_connection(L, database);
  status = judged_history(connection, &place, history, &found, &fault);
  if (status == RILLE_OK && found)
    saw(database, connection, history);
  rille_lua_settle(database);
  if (status != RILLE_OK)
    return rille_lua_raise(L, &fault, (rille_str){ 0 });
  if (found)
    verdict = rille_history_judge(history, &place);
  if (found && history->stale && verdict != RILLE_PLACE_FOREIGN)
    verdict = RILLE_PLACE_UNSURE;
  if (!own && verdict != RILLE_PLACE_FOREIGN && !rille_token_is_signed(text, history->secret)) {
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
  { "token", rille_lua_session_token },
  { "judge", session_judge },
  { "look_again", session_look_again },
  { NULL, NULL },
};
