/* core/driver/postgres_library.h - libpq, looked up when the first database is opened that needs it.
**
** Linked, it would bring some twenty libraries along, and every start of the program and of the module would be slower
** by more than all else in it.  So the calls of libpq-fe.h go through a table here, by their own names. */
#ifndef RILLE_POSTGRES_LIBRARY_H
#define RILLE_POSTGRES_LIBRARY_H

#include <libpq-fe.h>

#include "core/base/status.h"

/* All calls that the driver makes. */
#define RILLE_PQ_LIST(X)       \
  X(PQcancel)                  \
  X(PQclear)                   \
  X(PQcmdStatus)               \
  X(PQcmdTuples)               \
  X(PQconnectPoll)             \
  X(PQconnectStartParams)      \
  X(PQconnectdbParams)         \
  X(PQconnectionNeedsPassword) \
  X(PQconninfoFree)            \
  X(PQconninfoParse)           \
  X(PQconsumeInput)            \
  X(PQenterPipelineMode)       \
  X(PQerrorMessage)            \
  X(PQexitPipelineMode)        \
  X(PQfinish)                  \
  X(PQflush)                   \
  X(PQfmod)                    \
  X(PQfname)                   \
  X(PQfreeCancel)              \
  X(PQfreemem)                 \
  X(PQftable)                  \
  X(PQftype)                   \
  X(PQgetCancel)               \
  X(PQgetResult)               \
  X(PQgetisnull)               \
  X(PQgetlength)               \
  X(PQgetvalue)                \
  X(PQisBusy)                  \
  X(PQlibVersion)              \
  X(PQnfields)                 \
  X(PQnotifies)                \
  X(PQnparams)                 \
  X(PQntuples)                 \
  X(PQparameterStatus)         \
  X(PQparamtype)               \
  X(PQpipelineSync)            \
  X(PQputCopyData)             \
  X(PQputCopyEnd)              \
  X(PQresultErrorField)        \
  X(PQresultErrorMessage)      \
  X(PQresultMemorySize)        \
  X(PQresultStatus)            \
  X(PQsendDescribePrepared)    \
  X(PQsendPrepare)             \
  X(PQsendQuery)               \
  X(PQsendQueryParams)         \
  X(PQsendQueryPrepared)       \
  X(PQserverVersion)           \
  X(PQsetErrorVerbosity)       \
  X(PQsetNoticeReceiver)       \
  X(PQsetSingleRowMode)        \
  X(PQsetnonblocking)          \
  X(PQsocket)                  \
  X(PQstatus)                  \
  X(PQtransactionStatus)

struct rille_pq {
#define X(name) __typeof__(name) *name##_;
  RILLE_PQ_LIST(X)
#undef X
};

extern struct rille_pq rille_pq;

/* Finds the library and all of these in it, once; `unsupported` when it is not there, or too old. */
rille_status rille_pq_load(rille_fault *fault);

#ifndef RILLE_PQ_PLAIN /* for the file that fills the table */
#define PQcancel rille_pq.PQcancel_
#define PQclear rille_pq.PQclear_
#define PQcmdStatus rille_pq.PQcmdStatus_
#define PQcmdTuples rille_pq.PQcmdTuples_
#define PQconnectPoll rille_pq.PQconnectPoll_
#define PQconnectStartParams rille_pq.PQconnectStartParams_
#define PQconnectdbParams rille_pq.PQconnectdbParams_
#define PQconnectionNeedsPassword rille_pq.PQconnectionNeedsPassword_
#define PQconninfoFree rille_pq.PQconninfoFree_
#define PQconninfoParse rille_pq.PQconninfoParse_
#define PQconsumeInput rille_pq.PQconsumeInput_
#define PQenterPipelineMode rille_pq.PQenterPipelineMode_
#define PQerrorMessage rille_pq.PQerrorMessage_
#define PQexitPipelineMode rille_pq.PQexitPipelineMode_
#define PQfinish rille_pq.PQfinish_
#define PQflush rille_pq.PQflush_
#define PQfmod rille_pq.PQfmod_
#define PQfname rille_pq.PQfname_
#define PQfreeCancel rille_pq.PQfreeCancel_
#define PQfreemem rille_pq.PQfreemem_
#define PQftable rille_pq.PQftable_
#define PQftype rille_pq.PQftype_
#define PQgetCancel rille_pq.PQgetCancel_
#define PQgetResult rille_pq.PQgetResult_
#define PQgetisnull rille_pq.PQgetisnull_
#define PQgetlength rille_pq.PQgetlength_
#define PQgetvalue rille_pq.PQgetvalue_
#define PQisBusy rille_pq.PQisBusy_
#define PQlibVersion rille_pq.PQlibVersion_
#define PQnfields rille_pq.PQnfields_
#define PQnotifies rille_pq.PQnotifies_
#define PQnparams rille_pq.PQnparams_
#define PQntuples rille_pq.PQntuples_
#define PQparameterStatus rille_pq.PQparameterStatus_
#define PQparamtype rille_pq.PQparamtype_
#define PQpipelineSync rille_pq.PQpipelineSync_
#define PQputCopyData rille_pq.PQputCopyData_
#define PQputCopyEnd rille_pq.PQputCopyEnd_
#define PQresultErrorField rille_pq.PQresultErrorField_
#define PQresultErrorMessage rille_pq.PQresultErrorMessage_
#define PQresultMemorySize rille_pq.PQresultMemorySize_
#define PQresultStatus rille_pq.PQresultStatus_
#define PQsendDescribePrepared rille_pq.PQsendDescribePrepared_
#define PQsendPrepare rille_pq.PQsendPrepare_
#define PQsendQuery rille_pq.PQsendQuery_
#define PQsendQueryParams rille_pq.PQsendQueryParams_
#define PQsendQueryPrepared rille_pq.PQsendQueryPrepared_
#define PQserverVersion rille_pq.PQserverVersion_
#define PQsetErrorVerbosity rille_pq.PQsetErrorVerbosity_
#define PQsetNoticeReceiver rille_pq.PQsetNoticeReceiver_
#define PQsetSingleRowMode rille_pq.PQsetSingleRowMode_
#define PQsetnonblocking rille_pq.PQsetnonblocking_
#define PQsocket rille_pq.PQsocket_
#define PQstatus rille_pq.PQstatus_
#define PQtransactionStatus rille_pq.PQtransactionStatus_
#endif

#endif
