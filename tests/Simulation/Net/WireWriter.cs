using System.Buffers;
using System.IO.Pipelines;

namespace KeyEvt.Simulation.Net;

/// <summary>The sending end of a simulated connection: what is flushed is handed over as one piece.</summary>
internal sealed class WireWriter(Action<byte[]> send, Action complete) : PipeWriter
{
    private readonly ArrayBufferWriter<byte> _unsent = new();
    private bool _isCompleted;

    public override void Advance(int bytes) => _unsent.Advance(bytes);

    public override Memory<byte> GetMemory(int sizeHint = 0) => Demand().GetMemory(sizeHint);

    public override Span<byte> GetSpan(int sizeHint = 0) => Demand().GetSpan(sizeHint);

    public override void CancelPendingFlush()
    {
        // No flush ever waits.
    }

    public override void Complete(Exception? exception = null)
    {
        if (_isCompleted) return;

        _isCompleted = true;
        complete();
    }

    public override ValueTask<FlushResult> FlushAsync(CancellationToken cancellationToken = default)
    {
        if (_unsent.WrittenCount > 0)
        {
            send(_unsent.WrittenSpan.ToArray());
            _unsent.ResetWrittenCount();
        }

        return ValueTask.FromResult(new FlushResult(isCanceled: false, isCompleted: _isCompleted));
    }

    private ArrayBufferWriter<byte> Demand() => _isCompleted ? throw new InvalidOperationException("the writer is completed") : _unsent;
}
