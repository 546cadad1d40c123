using System.Buffers;
using System.IO.Pipelines;
using KeyEvt.Proxy.Transport.Epoll;

namespace KeyEvt.Proxy.Transport;

/// <summary>
/// Who passes on what is received, where it is received: on the connection's loop, without a read that has to be completed, continued and begun anew. That is nearly always
/// possible, and saves a third of the user time a request takes (bench/RESULTS.md).
/// </summary>
internal interface IRelay
{
    /// <summary>
    /// True: all of it was passed on, or kept where it is as far as more must come first; the waiting goes on. False: the read returns, with what is left of it.
    /// </summary>
    /// <param name="received">Never at the end of the stream.</param>
    bool TryPass(in ReadOnlySequence<byte> received);
}

/// <inheritdoc cref="IRelay"/>
internal static class Relays
{
    /// <summary>A read that the relay, where the transport knows it, is offered first; only what it does not take is returned.</summary>
    public static ValueTask<ReadResult> ReadAsync(this PipeReader input, IRelay relay) => input is EpollReader reader ? reader.ReadAsync(relay) : input.ReadAsync();
}
