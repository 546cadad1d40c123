using System.IO.Pipelines;
using KeyEvt.Proxy.Transport.Epoll;

namespace KeyEvt.Proxy.Transport;

/// <summary>
/// Who passes on what is received, where it is received: on the connection's loop, as the block it came in, without a read that has to be completed, continued and begun
/// anew. That is nearly always possible, and saves two fifths of the user time a request takes (bench/RESULTS.md). A class, as calling an interface costs a search.
/// </summary>
internal abstract class ZeroCopyForwarder
{
    private long _reads;

    /// <summary>How many times something has come, passed on or read. From any thread.</summary>
    public long Reads => Volatile.Read(ref _reads);

    /// <param name="received">All that is unread, never empty; not at the end of the stream.</param>
    public abstract ForwardResult TryForward(Block received);

    /// <summary>On the thread of whoever passes or reads.</summary>
    protected void CountRead() => _reads++;
}

/// <summary>What has a relay done with a block?</summary>
internal enum ForwardResult
{
    /// <summary>Nothing: the read returns it.</summary>
    NotTaken,

    /// <summary>It is another's now; the waiting goes on.</summary>
    Forwarded,

    /// <summary>It is another's now, whose flush must be waited for, or fails: the read returns without a byte.</summary>
    ForwardedUnflushed,
}

/// <inheritdoc cref="ZeroCopyForwarder"/>
internal static class Relays
{
    /// <summary>A read that may be served by the relay, where the transport knows it; only what that does not take is returned.</summary>
    /// <param name="relay">Null: a read like any other.</param>
    public static ValueTask<ReadResult> ReadAsync(this PipeReader input, ZeroCopyForwarder? relay) => input is EpollReader reader && relay is not null ? reader.ReadAsync(relay) : input.ReadAsync();

    /// <summary>The output as one that takes over the input's blocks, when both are at home on one loop; else null, and bytes are copied.</summary>
    public static EpollWriter? TakesBlocksOf(this PipeWriter output, PipeReader input) =>
        output is EpollWriter writer && input is EpollReader reader && reader.IsOn(writer.Loop) ? writer : null;
}
