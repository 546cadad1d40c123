using System.Buffers;
using System.IO.Pipelines;

namespace KeyEvt.Proxy.Transport;

/// <summary>How are bytes put into an output whose connection may break at any moment?</summary>
internal static class PipeWriterExtensions
{
    /// <summary>
    /// Copies; flushing is the caller's. False when the output takes nothing any more: SocketConnection completes the writer itself when sending fails, and a
    /// pipe answers the next write with an exception, where a flush would only say completed.
    /// </summary>
    public static bool TryWrite(this PipeWriter output, in ReadOnlySequence<byte> bytes)
    {
        try
        {
            if (bytes.IsSingleSegment) output.Write(bytes.FirstSpan);
            else foreach (var segment in bytes) output.Write(segment.Span);
            return true;
        }
        catch (Exception e) when (e is InvalidOperationException or ArgumentOutOfRangeException)
        {
            return false;
        }
    }

    /// <inheritdoc cref="TryWrite(PipeWriter, in ReadOnlySequence{byte})"/>
    public static bool TryWrite(this PipeWriter output, ReadOnlyMemory<byte> bytes) => output.TryWrite(new ReadOnlySequence<byte>(bytes));
}
