using System.Buffers;
using System.IO.Pipelines;
using System.Net.Sockets;

namespace KeyEvt.Proxy.Transport;

/// <summary>How are bytes written to an output whose connection may break at any moment?</summary>
internal static class PipeWriterExtensions
{
    /// <summary>
    /// Copies the bytes; the caller flushes. False when the output takes no more bytes: SocketConnection itself completes the writer when sending fails. A pipe
    /// then throws at the next write, where a flush would only report completed.
    /// </summary>
    public static bool TryWrite(this PipeWriter output, in ReadOnlySequence<byte> bytes)
    {
        try
        {
            if (output is BlockWriter writer)
            {
                foreach (var segment in bytes) writer.Append(segment.Span);
            }
            else if (bytes.IsSingleSegment)
            {
                output.Write(bytes.FirstSpan);
            }
            else
            {
                foreach (var segment in bytes) output.Write(segment.Span);
            }

            return true;
        }
        catch (Exception e) when (e is InvalidOperationException or ArgumentOutOfRangeException)
        {
            return false;
        }
    }

    /// <summary>
    /// Writes all of a read's buffer, and advances the reader behind it. Between two connections of one loop the memory itself changes hands, and nothing is
    /// copied.
    /// </summary>
    public static void Pass(this PipeReader input, in ReadOnlySequence<byte> buffer, PipeWriter output)
    {
        if (input is BlockReader reader && output is BlockWriter writer)
        {
            writer.TakeFrom(reader, buffer);
            return;
        }

        output.TryWrite(buffer); // if the output takes no more bytes, the next flush says so
        input.AdvanceTo(buffer.End);
    }

    /// <inheritdoc cref="TryWrite(PipeWriter, in ReadOnlySequence{byte})"/>
    public static bool TryWrite(this PipeWriter output, ReadOnlyMemory<byte> bytes) => output.TryWrite(new ReadOnlySequence<byte>(bytes));

    /// <summary>
    /// Flushes, and waits while too much is unsent. False when the peer takes no more bytes. It catches exceptions, since after a failed send every later flush
    /// of a socket throws.
    /// </summary>
    public static ValueTask<bool> TryFlushAsync(this PipeWriter output)
    {
        try
        {
            var flush = output.FlushAsync();
            return flush.IsCompletedSuccessfully ? ValueTask.FromResult(!flush.Result.IsCompleted) : AwaitAsync(flush);
        }
        catch (Exception e) when (IsBroken(e))
        {
            return ValueTask.FromResult(false);
        }
    }

    private static async ValueTask<bool> AwaitAsync(ValueTask<FlushResult> flush)
    {
        try
        {
            return !(await flush.ConfigureAwait(false)).IsCompleted;
        }
        catch (Exception e) when (IsBroken(e))
        {
            return false;
        }
    }

    private static bool IsBroken(Exception exception) => exception is IOException or SocketException or OperationCanceledException or InvalidOperationException;
}
