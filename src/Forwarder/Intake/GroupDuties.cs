using KeyEvt.Forwarder.Delivery;
using KeyEvt.Forwarder.Events;

namespace KeyEvt.Forwarder.Intake;

/// <summary>Of which streams does this program deliver the events, and what does delivery have to know when that changes?</summary>
/// <remarks>
/// Delivery has one log for all streams. While one stream is held, the fallback storage is used. What is handed over are the events of one stream, or,
/// with the last one, all that is there. Thread safe.
/// </remarks>
internal sealed class GroupDuties(DeliveryLoop delivery)
{
    /// <summary>Guards <see cref="_held"/> and the run ids of all streams, and keeps what delivery is told in order.</summary>
    private readonly Lock _gate = new();
    private readonly HashSet<StreamDuties> _held = [];

    public bool IsBrokerThere => delivery.IsBrokerThere;

    public (long Timestamp, long Term)? Fenced => delivery.Fenced is { } refusal ? (refusal.Timestamp, refusal.Term) : null;

    /// <summary>The duties of one feed.</summary>
    public IHolderDuties OfStream() => new StreamDuties(this);

    /// <summary>Whether this program delivers the events of the node with this run id. Any thread.</summary>
    public bool Holds(ulong runId)
    {
        lock (_gate)
        {
            foreach (var stream in _held)
            {
                if (stream.Last == runId) return true;
            }

            return false;
        }
    }

    /// <summary>The run id of the node whose stream has inherited the events with this run id, if this program delivers it; else the same run id. Any thread.</summary>
    public ulong HeirOf(ulong runId)
    {
        lock (_gate)
        {
            foreach (var stream in _held)
            {
                if (stream.Runs.Contains(runId)) return stream.Last;
            }

            return runId;
        }
    }

    public void Subscribed(StreamDuties stream, ulong runId)
    {
        lock (_gate) stream.Begin(runId);
    }

    public void Hold(StreamDuties stream, long term)
    {
        lock (_gate)
        {
            _held.Add(stream);
            delivery.Hold(term);
        }
    }

    public void HandOver(StreamDuties stream)
    {
        lock (_gate)
        {
            if (!_held.Remove(stream)) return;

            delivery.HandOver(_held.Count == 0 ? null : [.. stream.Runs]);
            stream.ForgetOldRuns();
        }
    }

    public void Inherit(StreamDuties heir, StreamDuties old)
    {
        lock (_gate)
        {
            heir.Runs.UnionWith(old.Runs);
            if (_held.Remove(old)) _held.Add(heir);
            old.ForgetOldRuns();
        }
    }
}
