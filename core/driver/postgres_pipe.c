/* core/driver/postgres_pipe.c - a pipeline that stays open: the server is asked before it has answered.
**
** Behind each ask stands a SYNC, so that it is for itself. */
#include "core/driver/postgres_conn.h"

rille_status
rille_postgres_pipe(rille_postgres_conn *conn, rille_fault *fault)
{
  if (!PQenterPipelineMode(conn->pg))
    return rille_postgres_cannot_send(conn, fault);
  conn->piped = true;
  return RILLE_OK;
}

rille_status
rille_postgres_pipe_ask(rille_postgres_conn *conn, const rille_postgres_ask *ask, rille_fault *fault)
{
  conn->stopped = conn->silent = false;
  conn->silence_ms = rille_postgres_silence(conn, ask, 1);
  if (!rille_postgres_send_one(conn->pg, ask, false) || !PQpipelineSync(conn->pg))
    return rille_postgres_cannot_send(conn, fault);
  return rille_postgres_flush(conn, fault);
}

rille_status
rille_postgres_pipe_answer(rille_postgres_conn *conn, rille_postgres_ask *ask, rille_fault *fault)
{
  rille_postgres_ask sync = { .what = RILLE_ASK_SYNC };
  rille_status status = rille_postgres_collect(conn, ask, fault);

  if (status == RILLE_OK)
    status = rille_postgres_collect(conn, &sync, fault);
  PQclear(sync.result);
  conn->used_ms = rille_postgres_now_ms();
  conn->round_trips++;
  return status;
}

rille_status
rille_postgres_pipe_end(rille_postgres_conn *conn, rille_fault *fault)
{
  conn->piped = false;
  if (!PQexitPipelineMode(conn->pg))
    return rille_postgres_cannot_send(conn, fault);
  rille_postgres_take_over(conn);
  return RILLE_OK;
}
