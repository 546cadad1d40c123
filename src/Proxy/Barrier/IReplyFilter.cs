using System.Buffers;
using System.IO.Pipelines;
using KeyEvt.Proxy.Transport;

namespace KeyEvt.Proxy.Barrier;

/// <summary>What in the replies must be changed on their way to the client? The filter sees every byte that is for the client exactly once, in order.</summary>
internal interface IReplyFilter
{
    /// <summary>True: these bytes may go to the client unchanged, and count as seen. False: they are still to be given to <see cref="WriteAsync"/>.</summary>
    bool MayPass(in ReadOnlySequence<byte> replies);

    /// <summary>Writes what goes to the client. The filter may hold back the beginning of something that it would change.</summary>
    ValueTask WriteAsync(ReadOnlySequence<byte> replies, PipeWriter client);

    /// <summary>Called when no more bytes come. Writes what is held back, since it cannot become what the filter would change.</summary>
    void WriteHeld(PipeWriter client);

    /// <summary>
    /// How many of these bytes must be written until the client has got only whole frames. 0: it has at this moment. -1: more than these bytes, or it cannot be
    /// told.
    /// </summary>
    long ToBoundary(in ReadOnlySequence<byte> replies);
}

/// <summary>Changes nothing. A struct, so that the reply pump is compiled without any filtering.</summary>
internal readonly struct PlainReplies : IReplyFilter
{
    public bool MayPass(in ReadOnlySequence<byte> replies) => true;

    public ValueTask WriteAsync(ReadOnlySequence<byte> replies, PipeWriter client)
    {
        client.TryWrite(replies); // if the client takes no more bytes, the next flush says so
        return default;
    }

    public void WriteHeld(PipeWriter client)
    {
    }

    public long ToBoundary(in ReadOnlySequence<byte> replies) => -1;
}
