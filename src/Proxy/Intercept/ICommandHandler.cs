using KeyEvt.Resp.Requests;

namespace KeyEvt.Proxy.Intercept;

/// <summary>What does an intercepted command do?</summary>
internal interface ICommandHandler
{
    /// <summary>Runs one authorised command; returns exactly one complete reply, valid in RESP2 and RESP3. Never throws for what a client may have sent.</summary>
    ValueTask<ReadOnlyMemory<byte>> ExecuteAsync(RespRequest request, CancellationToken cancellationToken);
}
