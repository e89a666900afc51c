/* host/rille.h - the embedding interface of rille: a host, calls into its Lua, values and errors that come back.
**
** Threads: a host may be used by one thread at a time; different hosts by different threads at once.  Values belong to
** no host: they may be read by any thread and outlive the host they came from.
** Errors: what can fail takes a `rille_error *`, which may be NULL, returns NULL or false, and fills it.  Nothing jumps
** out of a function below: not a Lua error, not an exhausted limit, not a failed allocation.
** Text is UTF-8 and ends in NUL, unless a length is given with it. */
#ifndef RILLE_H
#define RILLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#if defined(__GNUC__)
#define RILLE_API __attribute__((visibility("default")))
#else
#define RILLE_API
#endif

#define RILLE_VERSION "0.1.0"

/* The version of the library in use, which may be newer than RILLE_VERSION, that of this header.  Static text. */
RILLE_API const char *rille_version(void);

/* ---- Errors ------------------------------------------------------------------------------------------------------ */

/* Why something failed.  Owns nothing; texts that are too long are cut between two characters.
** A call that succeeds leaves it as it was.  An empty text means there is nothing to say. */
typedef struct rille_error {
  char kind[32];        /* for programs: "unique_violation", "script", "out_of_memory", ... */
  char message[512];    /* for people: what happened, where, with what */
  char hint[256];       /* what to do about it */
  char traceback[2048]; /* where in Lua it was raised; empty for what a function returned as `nil, err` */
} rille_error;

/* ---- Values ------------------------------------------------------------------------------------------------------ */

typedef enum rille_kind {
  RILLE_NULL,
  RILLE_BOOL,
  RILLE_INT,
  RILLE_REAL,
  RILLE_TEXT, /* or a blob: bytes with a length */
  RILLE_LIST,
  RILLE_TABLE, /* names with values; what a record becomes */
  RILLE_RECORD /* a record as Lua has it, which only a hook sees: rille_on */
} rille_kind;

typedef struct rille_value rille_value;
typedef struct rille_field rille_field;
struct rille_record;

/* One value.  Make it with the functions below and read it with them; its members are not part of the interface.
** Zeroed it is null. */
struct rille_value {
  rille_kind kind;
  size_t length;
  union {
    bool boolean;
    int64_t integer;
    double real;
    const char *text;
    const rille_value *items;
    const rille_field *fields;
    const struct rille_record *record;
  } as;
};

struct rille_field {
  const char *name;
  rille_value value;
};

/* Values to pass.  They borrow: texts, items and fields must live until the call that takes them has returned.  A NULL
** pointer gives null.  As an argument null is `nil`, inside a list or a table it is `rille.null`. */
RILLE_API rille_value rille_null(void);
RILLE_API rille_value rille_bool(bool value);
RILLE_API rille_value rille_int(int64_t value);
RILLE_API rille_value rille_real(double value);
RILLE_API rille_value rille_text(const char *text);
RILLE_API rille_value rille_blob(const void *bytes, size_t length);
RILLE_API rille_value rille_list(const rille_value *items, size_t n);
RILLE_API rille_value rille_table(const rille_field *fields, size_t n);

/* Readers are total: they take NULL, and a value of another kind reads as the zero of what was asked for. */
RILLE_API rille_kind rille_kind_of(const rille_value *value); /* RILLE_NULL for NULL */
RILLE_API bool rille_is_null(const rille_value *value);       /* true for NULL */
RILLE_API bool rille_as_bool(const rille_value *value);
RILLE_API int64_t rille_as_int(const rille_value *value);      /* a real only if it is a whole number */
RILLE_API double rille_as_real(const rille_value *value);      /* an integer too, rounded beyond 2^53 */
RILLE_API const char *rille_as_text(const rille_value *value); /* NULL if not text; see rille_length for blobs */

/* Bytes of a text, items of a list, fields of a table; else 0. */
RILLE_API size_t rille_length(const rille_value *value);

/* The item or field at `index`, counted from 0; fields come in the byte order of their names.  NULL beyond the end.
** Belongs to `value`. */
RILLE_API const rille_value *rille_at(const rille_value *value, size_t index);

/* The name of the field at `index`, counted from 0; NULL beyond the end or if not a table.  Belongs to `value`. */
RILLE_API const char *rille_key_at(const rille_value *value, size_t index);

/* The field called `name`; NULL if there is none, which is how SQL NULL reads.  Belongs to `value`.  Of the record of a
** hook any attribute, accessor or relation as it is now; see rille_on. */
RILLE_API const rille_value *rille_get(const rille_value *value, const char *name);

/* Frees a value that rille_call, rille_run or rille_do returned, with all that was read from it.  NULL is ignored. */
RILLE_API void rille_free(rille_value *value);

/* ---- Hosts ------------------------------------------------------------------------------------------------------- */

typedef struct rille_host rille_host;

/* Zero is the default of every field.  New fields are added at the end, and rille_open passes the size on: a program
** that was compiled with an older header goes on working. */
typedef struct rille_options {
  const char *config;    /* file that returns the table of rille.configure; NULL: the program connects in Lua */
  size_t memory_bytes;   /* most that Lua may use, and most of one result; 0: 256 MiB, or no limit if trusted */
  uint64_t instructions; /* Lua instructions of one call; 0: a billion, or no limit if trusted */
  bool trusted;          /* scripts may do what Lua can do: files, processes, C modules, bytecode, os.exit */
  void *shared;          /* reserved: must be NULL, or rille_open fails with "unsupported" */
} rille_options;

/* No limit, for memory_bytes and instructions of a host that is not trusted. */
#define RILLE_UNLIMITED_MEMORY SIZE_MAX
#define RILLE_UNLIMITED_INSTRUCTIONS UINT64_MAX

/* A host with one Lua state, where `require "rille"` works; models are found as `config` says.  `options` may be NULL
** and is not kept.  The caller's until rille_close.  NULL when the configuration cannot be read or memory runs out.
**
** Scripts of a host that is not trusted get no io, no os but clock, date, difftime and time, no debug but traceback, no
** C modules and no bytecode; the library's own modules keep what they need.  That, with the two limits, holds careless
** scripts, not hostile ones: databases that the process may open can be opened, and one call of a pattern function can
** run long.  A call over its instructions is ended even if it catches the error, and transactions that it left open are
** rolled back. */
static inline rille_host *rille_open(const rille_options *options, rille_error *err);

/* What rille_open calls, for other languages: `size` is that of the caller's rille_options. */
RILLE_API rille_host *rille_open_sized(const rille_options *options, size_t size, rille_error *err);

/* Ends a host: open transactions are rolled back, databases closed.  NULL is ignored.  Not to be called by a function
** that the host runs. */
RILLE_API void rille_close(rille_host *host);

/* Calls a Lua function with `n` values and returns its first result, which is the caller's to rille_free.  `what` is
**   "Post:recent"      a method or scope of the model Post; a query that it returns is run
**   "reports.monthly"  the function `monthly` of the module that `require "reports"` gives
**   "refresh"          a global function
** A record or a list of records comes back as plain tables.  nil is a value of kind RILLE_NULL.  NULL means failure: an
** error was raised (kind "script" if it was no error of rille), a limit was reached, or the function returned
** `nil, err`. */
RILLE_API rille_value *rille_call(rille_host *host, const char *what, const rille_value *args, size_t n,
                                  rille_error *err);

/* Runs a Lua file, with models there by their names and `args` as `...`, and returns as rille_call does. */
RILLE_API rille_value *rille_run(rille_host *host, const char *file, const rille_value *args, size_t n,
                                 rille_error *err);

/* Runs Lua source text in the same way; `name` (may be NULL) is what errors call it. */
RILLE_API rille_value *rille_do(rille_host *host, const char *source, const char *name, const rille_value *args,
                                size_t n, rille_error *err);

/* ---- Tenants ----------------------------------------------------------------------------------------------------- */

/* Makes the calls that follow those of a tenant, until rille_tenant_leave: the same as `rille.tenant.run` around each.
** `slug` is looked up by tenancy.resolve of the configuration, or is the id itself.  Inside another tenant's it nests.
** A hook leaves what it entered.  False and *err, with nothing changed, when there is no
** such tenant ("tenant_unknown"), the slug is none ("invalid_argument"), or a transaction of another tenant is open
** ("tenant_mismatch"). */
RILLE_API bool rille_tenant_enter(rille_host *host, const char *slug, rille_error *err);

/* The same for a tenant whose id is known, an integer or a text; `slug` may be NULL. */
RILLE_API bool rille_tenant_enter_id(rille_host *host, rille_value id, const char *slug, rille_error *err);

/* Ends the last rille_tenant_enter: what was before holds again.  Without one nothing happens.  Should memory run out,
** every later call of the host fails: none runs as the wrong tenant. */
RILLE_API void rille_tenant_leave(rille_host *host);

/* ---- Sessions ---------------------------------------------------------------------------------------------------- */

/* Makes the calls that follow those of a session, until rille_session_leave: the same as `session:run` around them.
** `token` is what rille_session_token gave, in this process or another; NULL begins a session.  Inside another one it
** nests.  False when the token is none of the configured databases' ("invalid_token") or sessions are switched off
** ("unsupported"). */
RILLE_API bool rille_session_enter(rille_host *host, const char *token, rille_error *err);

/* The token of the session entered last, a text to hand to the next request: the caller's to rille_free.  Its kind is
** RILLE_NULL before anything was read or written.  *lost (may be NULL) is true when something that its first token knew
** of did not survive.  NULL when no session was entered ("invalid_argument") or a database cannot be asked. */
RILLE_API rille_value *rille_session_token(rille_host *host, bool *lost, rille_error *err);

/* Ends the last rille_session_enter: what was before holds again.  Without one nothing happens.  Should memory run out,
** every later call of the host fails. */
RILLE_API void rille_session_leave(rille_host *host);

/* ---- Hooks ------------------------------------------------------------------------------------------------------- */

/* What happens to a record of a model, told to C: 0 goes on, 1 is a veto, -1 says that the hook failed.
**
** `record`  the record itself, of kind RILLE_RECORD, while the hook runs and in its thread.  rille_get reads it through
**           casts, accessors and relations; each reading is a copy that lives until the hook returns.  A reading that
**           fails, as of a name that no record of the model has, gives NULL, and the hook fails with it.  rille_set
**           changes it: what a hook of "creating" sets is what is stored.  As an argument of rille_call it is the
**           record, not a copy.
** `err`     empty, never NULL.  err->message of a veto is what the caller of `save` reads ("aborted").  Of a hook that
**           failed, kind, message and hint become the error that is raised in Lua; a kind that is none of rille's reads
**           "script".  rille_set and rille_call may be given it: `return rille_set(record, ..., err) ? 0 : -1`.
**
** A hook may call the host.  That runs in the transaction of what is about to happen, and counts towards the limits of
** the call around it.  Vetoes count from the events that end in -ing; a failed hook of any event rolls all back.  A
** hook returns: it jumps over no frame, and does not close its host. */
typedef int rille_hook(rille_host *host, rille_value *record, void *data, rille_error *err);

/* Calls `hook` with `data` at each `event` ("creating", "updated", ...) of the model, whose file is run if need be.  It
** takes its place behind the hooks that the model has so far, in Lua or in C.  With NULL or "*" for `model` it is what
** `rille.on` is in Lua: heard after those of the model itself.  "model:creating" may be written then, too, and of the
** other events ("query", "transaction:commit", ...) `record` is the table that a listener in Lua gets.
** Returns a number for rille_off.  0 means that there is no such model or event, or no memory; so that no program works
** on without a hook it relies on, every later call of the host then fails with the reason. */
RILLE_API int rille_on(rille_host *host, const char *model, const char *event, rille_hook *hook, void *data);

/* The same for a program that can do without the hook: a failure is told in *err, and changes nothing. */
RILLE_API int rille_try_on(rille_host *host, const char *model, const char *event, rille_hook *hook, void *data,
                           rille_error *err);

/* Ends what rille_on began: the hook is not called any more, its data may be freed.  May be called inside the hook.
** A number that is none, or not any more, is ignored. */
RILLE_API void rille_off(rille_host *host, int number);

/* Assigns an attribute of the record of a hook, as `record[name] = value` does in Lua; null is nil.  False and *err if
** that cannot be. */
RILLE_API bool rille_set(rille_value *record, const char *name, rille_value value, rille_error *err);

/* The name of the model of the record of a hook: "Post".  Until the hook returns.  NULL of any other value. */
RILLE_API const char *rille_model_of(const rille_value *record);

static inline rille_host *
rille_open(const rille_options *options, rille_error *err)
{
  return rille_open_sized(options, sizeof *options, err);
}

#ifdef __cplusplus
}
#endif

#endif
