using KeyEvt.Forwarder.Events;

namespace KeyEvt.Forwarder.Intake;

/// <summary>Which events in delivery came from one feed? Those with its run ids: a node that is started anew gets another one, and a new master inherits those of the old one.</summary>
/// <remarks>The run ids are read and changed by <see cref="GroupDuties"/> only, under its lock.</remarks>
internal sealed class StreamDuties(GroupDuties all) : IHolderDuties
{
    public HashSet<ulong> Runs { get; } = [];

    /// <summary>The run id of the node as it is now.</summary>
    public ulong Last { get; private set; }

    public bool IsBrokerThere => all.IsBrokerThere;

    public (long Timestamp, long Term)? Fenced => all.Fenced;

    public void Subscribed(ulong runId) => all.Subscribed(this, runId);

    public void Hold(long term) => all.Hold(this, term);

    public void HandOver() => all.HandOver(this);

    public void Inherit(IHolderDuties old)
    {
        if (old is StreamDuties other) all.Inherit(this, other);
    }

    public void Begin(ulong runId)
    {
        Runs.Add(runId);
        Last = runId;
    }

    /// <summary>Nothing of an earlier run is in delivery any more.</summary>
    public void ForgetOldRuns() => Runs.RemoveWhere(run => run != Last);
}
