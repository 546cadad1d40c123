using System.Buffers;
using KeyEvt.Proxy.Barrier.Echo;

namespace KeyEvt.Proxy.Barrier;

/// <summary>
/// Where in the reply stream is the error line with a certain name, when the words around the name are not known yet? The line is what stands between two line
/// ends: every reply ends with one, and an error contains none. So the line also tells the words. <see cref="MarkSearch"/> is the search for known words.
/// </summary>
internal sealed class EchoSearch(ReadOnlyMemory<byte> name)
{
    /// <summary>A longer line cannot be the one: Redis cuts names at 128 bytes.</summary>
    private const int MaxLineBytes = 1024;

    private readonly ReadOnlyMemory<byte>[] _names = [name];

    /// <summary>The bytes that went to the client so far ended in the middle of a line.</summary>
    private bool _isInside;

    /// <summary>The words around the name; null until the line was found.</summary>
    public EchoShape? Shape { get; private set; }

    /// <summary>As <see cref="AnswerReader.Read"/>: what is in front of the line is the client's.</summary>
    public BarrierStep Read(in ReadOnlySequence<byte> bytes)
    {
        var at = MarkSearch.Find(bytes, _names, out _, out _);
        if (at < 0) return ClearOf(bytes);

        var line = LastLine(bytes.Slice(0, at), out var begins);
        if (!begins || !IsErrorHead(line)) return Pass(bytes.Slice(0, at + name.Length));
        var behind = bytes.Slice(at + name.Length);
        if (behind.PositionOf((byte)'\n') is not { } end)
        {
            return behind.Length > MaxLineBytes ? Pass(bytes) : at == line.Length ? BarrierStep.NeedMore : Pass(bytes.Slice(0, at - line.Length));
        }

        var after = behind.Slice(0, behind.GetPosition(1, end));
        Shape = new EchoShape(line.ToArray(), after.ToArray());
        return new BarrierStep(at - line.Length, line.Length + name.Length + after.Length, IsReached: true);
    }

    /// <summary>The name is not in these bytes. All of them go to the client, except a last line that may become the one with the name.</summary>
    private BarrierStep ClearOf(in ReadOnlySequence<byte> bytes)
    {
        var line = LastLine(bytes, out var begins);
        var isHeld = begins && IsErrorHead(line);
        var clear = bytes.Length - (isHeld ? line.Length : 0);
        return clear == 0 ? BarrierStep.NeedMore : Pass(bytes.Slice(0, clear));
    }

    private BarrierStep Pass(in ReadOnlySequence<byte> bytes)
    {
        _isInside = ByteAt(bytes, bytes.Length - 1) != '\n';
        return BarrierStep.Client(bytes.Length);
    }

    /// <summary>What stands behind the last line end.</summary>
    /// <param name="begins">Whether it is the beginning of a line.</param>
    private ReadOnlySequence<byte> LastLine(ReadOnlySequence<byte> bytes, out bool begins)
    {
        var start = 0L;
        var position = 0L;
        foreach (var memory in bytes)
        {
            var lf = memory.Span.LastIndexOf((byte)'\n');
            if (lf >= 0) start = position + lf + 1;
            position += memory.Length;
        }

        begins = start > 0 || !_isInside;
        return bytes.Slice(start);
    }

    private static bool IsErrorHead(in ReadOnlySequence<byte> line) => line.Length <= MaxLineBytes && !line.IsEmpty && ByteAt(line, 0) == '-';

    /// <summary>Copies the byte, since the first segment may be empty.</summary>
    private static byte ByteAt(in ReadOnlySequence<byte> bytes, long at)
    {
        Span<byte> one = stackalloc byte[1];
        bytes.Slice(at, 1).CopyTo(one);
        return one[0];
    }
}
