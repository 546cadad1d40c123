using KeyEvt.Resp.Requests;

namespace KeyEvt.Proxy.Intercept;

/// <summary>What does an intercepted command do?</summary>
internal interface ICommandHandler
{
    /// <summary>
    /// Runs one authorised command. Returns exactly one complete reply, valid in RESP2 and RESP3. Throws for nothing that a client may have sent.
    /// </summary>
    ValueTask<ReadOnlyMemory<byte>> ExecuteAsync(RespRequest request, CancellationToken cancellationToken);
}
