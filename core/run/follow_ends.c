/* core/run/follow_ends.c - opened for whoever is followed now, given back to the pool between two batches. */
#include "core/run/follow_ends.h"

#include "core/base/memory.h"
#include "core/run/pool.h"

enum { WAIT_MS = 250 }; /* for locks: the thread has others to follow */

struct end {
  rille_seat seat; /* first: the pool knows the end by it */
  uint64_t whose;
  char *path; /* what the seat names */
  rille_connection *connection;
};

static struct end source_end, target_end;

/* The pool wants the connection; on another thread it only loses what the database has of it. */
static void
give_up(rille_seat *seat, bool foreign)
{
  struct end *end = (struct end *)seat;

  if (foreign) {
    rille_connection_detach(end->connection);
  } else {
    rille_connection_close(end->connection);
    end->connection = NULL;
  }
}

static void
close_end(struct end *end)
{
  if (end->path == NULL)
    return;
  rille_seat_pin(&end->seat);
  rille_connection_close(end->connection);
  end->connection = NULL;
  rille_seat_leave(&end->seat);
  rille_memory_free(end->path);
  end->path = NULL;
}

static rille_status
connect(struct end *end, const rille_opening *opening, rille_fault *fault)
{
  rille_opening ours = *opening;
  rille_status status = rille_seat_open(&end->seat, fault);

  if (ours.options.busy_timeout_ms > WAIT_MS)
    ours.options.busy_timeout_ms = WAIT_MS;
  if (status != RILLE_OK)
    return status;
  status = rille_opening_connect(&ours, &end->connection, fault);
  rille_seat_opened(&end->seat, status == RILLE_OK);
  return status;
}

/* An end that is open and held, or (not RILLE_OK) closed. */
static rille_status
open_end(struct end *end, uint64_t whose, const rille_opening *opening, rille_fault *fault)
{
  rille_str path = opening->options.database;
  rille_status status = RILLE_OK;

  if (end->path != NULL && (end->whose != whose || !rille_str_equal(end->seat.path, path)))
    close_end(end);
  if (end->path == NULL) {
    end->path = rille_memory_copy(path.at, path.len);
    if (end->path == NULL)
      return rille_fault_no_memory(fault);
    end->whose = whose;
    end->seat = (rille_seat){ .path = { end->path, path.len }, .host = &source_end, .close = give_up };
  }
  rille_seat_pin(&end->seat);
  if (end->connection != NULL && end->connection->conn == NULL) {
    rille_connection_close(end->connection); /* another thread had need of it */
    end->connection = NULL;
  }
  if (end->connection == NULL)
    status = connect(end, opening, fault);
  if (status != RILLE_OK)
    close_end(end);
  return status;
}

rille_status
rille_follow_ends_open(uint64_t whose, const rille_opening *source, const rille_opening *target,
                       rille_connection **source_out, rille_connection **target_out, rille_fault *fault)
{
  rille_status status = open_end(&source_end, whose, source, fault);

  if (status == RILLE_OK)
    status = open_end(&target_end, 0, target, fault); /* one mirror may have many sources */
  if (status != RILLE_OK)
    rille_follow_ends_rest();
  *source_out = source_end.connection;
  *target_out = target_end.connection;
  return status;
}

void
rille_follow_ends_rest(void)
{
  if (source_end.path != NULL)
    rille_seat_unpin(&source_end.seat);
  if (target_end.path != NULL)
    rille_seat_unpin(&target_end.seat);
}

void
rille_follow_ends_close(void)
{
  close_end(&source_end);
  close_end(&target_end);
}
