using System.Buffers;
using KeyEvt.Resp.Replies;

namespace KeyEvt.Proxy.Barrier;

/// <summary>
/// Which bytes between two marks are the client's, and what is the one reply among them? Out-of-band frames stream to the client as they come, however large.
/// The reply is taken out of the stream, and kept if it is short.
/// </summary>
/// <param name="maxKeptBytes">How much of an answer is kept. Of a longer answer only its kind is known.</param>
/// <param name="keepsAll">All frames are taken out of the stream and kept together. What the client gets of them is decided at the end.</param>
/// <param name="skips">How many replies at the beginning are dropped, as they are neither the client's nor the answer.</param>
internal sealed class AnswerReader(ReadOnlyMemory<byte> endLine, int maxKeptBytes, bool keepsAll = false, int skips = 0)
{
    private readonly ArrayBufferWriter<byte> _kept = new(64);
    private RespReplyFramer _framer;
    private FrameKind _frame; // Unknown: between two frames
    private FrameKind _answer;
    private int _answers;
    private int _toSkip = skips;
    private bool _isSkipped; // the frame that is being read is one of the dropped replies

    /// <summary>Valid once the end line was reached.</summary>
    public ProbeAnswer Answer => _answers == 1 || keepsAll
        ? new ProbeAnswer(_answer, _kept.WrittenCount <= maxKeptBytes ? _kept.WrittenMemory : default)
        : new ProbeAnswer(FrameKind.Other, default);

    /// <summary>Says whose the first of these bytes are. Called again with the bytes behind those, until nothing more can be said.</summary>
    public BarrierStep Read(in ReadOnlySequence<byte> bytes)
    {
        if (_frame == FrameKind.Unknown)
        {
            if (StartsWithEndLine(bytes, out var more)) return BarrierStep.Reached(endLine.Length);
            if (more) return BarrierStep.NeedMore;
            _frame = keepsAll && _toSkip == 0 ? FrameKind.Other : KindOf(bytes);
            if (_frame == FrameKind.Unknown) return BarrierStep.NeedMore;
            _isSkipped = _toSkip > 0 && _frame != FrameKind.OutOfBand;
            if (_isSkipped) _toSkip--;
            else if (_frame != FrameKind.OutOfBand && ++_answers == 1) _answer = _frame;
        }

        var outOfBand = _frame == FrameKind.OutOfBand;
        var length = TakeFrame(bytes, keep: !outOfBand && !_isSkipped);
        return outOfBand ? BarrierStep.Client(length) : BarrierStep.Proxy(length);
    }

    /// <summary>Consumes bytes up to the end of the frame, or all of them. Returns how many.</summary>
    private long TakeFrame(in ReadOnlySequence<byte> bytes, bool keep)
    {
        long taken = 0;
        foreach (var memory in bytes)
        {
            var ended = _framer.TryAdvance(memory.Span, out var consumed);
            taken += consumed;
            if (keep && _kept.WrittenCount <= maxKeptBytes) _kept.Write(memory.Span[..Math.Min(consumed, maxKeptBytes + 1)]);
            if (!ended) continue;
            _framer = default;
            _frame = FrameKind.Unknown;
            break;
        }

        return taken;
    }

    private bool StartsWithEndLine(in ReadOnlySequence<byte> bytes, out bool more)
    {
        more = false;
        var rest = endLine.Span;
        foreach (var memory in bytes)
        {
            var length = Math.Min(rest.Length, memory.Length);
            if (!rest.StartsWith(memory.Span[..length])) return false;
            rest = rest[length..];
            if (rest.IsEmpty) return true;
        }

        more = true;
        return false;
    }

    private static FrameKind KindOf(in ReadOnlySequence<byte> bytes)
    {
        if (bytes.FirstSpan.Length >= FrameKinds.HeadBytes) return FrameKinds.Of(bytes.FirstSpan);
        Span<byte> head = stackalloc byte[(int)Math.Min(bytes.Length, FrameKinds.HeadBytes)];
        bytes.Slice(0, head.Length).CopyTo(head);
        return FrameKinds.Of(head);
    }
}
