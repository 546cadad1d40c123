using System.Buffers;
using KeyEvt.Resp.Replies;

namespace KeyEvt.Proxy.Barrier;

/// <summary>
/// Which bytes between two marks are the client's, and what is the one reply among them? Out-of-band frames stream to the client as
/// they come, however large; the reply is taken out of the stream, and kept if it is short.
/// </summary>
/// <param name="maxKeptBytes">Longer answers are judged by their kind alone.</param>
/// <param name="keepsAll">All frames are taken out of the stream, and kept together: what the client gets of them is decided at the end.</param>
/// <param name="skips">The first so many replies are neither the client's nor the answer: they are dropped.</param>
internal sealed class AnswerReader(ReadOnlyMemory<byte> endLine, int maxKeptBytes, bool keepsAll = false, int skips = 0)
{
    private readonly ArrayBufferWriter<byte> _kept = new(64);
    private RespReplyFramer _framer;
    private FrameKind _frame; // Unknown: at a boundary
    private FrameKind _answer;
    private int _answers;
    private int _toSkip = skips;
    private bool _isSkipped; // the frame that is being read

    /// <summary>Valid once the end line was reached.</summary>
    public ProbeAnswer Answer => _answers == 1 || keepsAll
        ? new ProbeAnswer(_answer, _kept.WrittenCount <= maxKeptBytes ? _kept.WrittenMemory : default)
        : new ProbeAnswer(FrameKind.Other, default);

    /// <summary>Judges the first bytes; called again with what is behind them until nothing more can be said.</summary>
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

    /// <summary>Bytes up to the frame's end, or all of them.</summary>
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
