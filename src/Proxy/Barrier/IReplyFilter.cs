using System.Buffers;
using System.IO.Pipelines;
using KeyEvt.Proxy.Transport;

namespace KeyEvt.Proxy.Barrier;

/// <summary>Is something in the replies to be changed on their way to the client? Sees every byte of the client's exactly once, in order.</summary>
internal interface IReplyFilter
{
    /// <summary>True: these bytes may go to the client as they are, and count as seen. False: they are still to be written by <see cref="WriteAsync"/>.</summary>
    bool MayPass(in ReadOnlySequence<byte> replies);

    /// <summary>Writes what goes to the client; may hold the beginning of what it would change.</summary>
    ValueTask WriteAsync(ReadOnlySequence<byte> replies, PipeWriter client);

    /// <summary>No more will come: what is held was no such beginning.</summary>
    void WriteHeld(PipeWriter client);

    /// <summary>How many of these bytes must be written until what the client has got ends with a whole frame; 0: it does now; -1: more than these, or nobody can tell.</summary>
    long ToBoundary(in ReadOnlySequence<byte> replies);
}

/// <summary>Nothing is changed; a struct, so that the pump is compiled without any of it.</summary>
internal readonly struct PlainReplies : IReplyFilter
{
    public bool MayPass(in ReadOnlySequence<byte> replies) => true;

    public ValueTask WriteAsync(ReadOnlySequence<byte> replies, PipeWriter client)
    {
        client.TryWrite(replies); // a client that takes nothing any more shows at the flush
        return default;
    }

    public void WriteHeld(PipeWriter client)
    {
    }

    public long ToBoundary(in ReadOnlySequence<byte> replies) => -1;
}
