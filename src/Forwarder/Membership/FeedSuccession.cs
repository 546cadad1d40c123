using KeyEvt.Forwarder.Events;
using KeyEvt.Forwarder.Feed.Handover;
using KeyEvt.Forwarder.Feed.Notifications;
using KeyEvt.Forwarder.Feed.Status;
using KeyEvt.Forwarder.Redis;
using KeyEvt.Forwarder.Signals;
using KeyEvt.Forwarder.Topology;
using Microsoft.Extensions.Logging;

namespace KeyEvt.Forwarder.Membership;

/// <summary>What does one node's feed need from another's when the master changes? Fences the old master, and hands over what the other node has sent.</summary>
/// <param name="stop">Cancelled when the feeds end. Waiting for a successor then ends too.</param>
internal sealed class FeedSuccession(ITopology topology, MemberTable table, MasterSelection masters, TimeProvider time, ILogger logger, CancellationToken stop)
{
    /// <summary>How long a feed may take to read what its node has sent by now.</summary>
    public static readonly TimeSpan CatchUpDeadline = TimeSpan.FromSeconds(1);

    /// <summary>How long a demoted master waits until its successor is known and forwarded from.</summary>
    public static readonly TimeSpan SuccessorDeadline = TimeSpan.FromSeconds(3);

    private static readonly TimeSpan OthersDeadline = TimeSpan.FromSeconds(5);

    private static readonly TimeSpan LookInterval = TimeSpan.FromMilliseconds(50);

    /// <summary>
    /// For a node that has been promoted: everything that the feed of its old master has received. That feed first reads what its node has sent by now. Null: no old master is known.
    /// </summary>
    public async Task<IReadOnlyList<RecordedNotification>?> SentLastByMasterOfAsync(string nodeId)
    {
        if (table.LastMasterOf(nodeId) is not { Feed: var old }) return null;

        await old.CatchUpAsync(CatchUpDeadline).ConfigureAwait(false);
        return old.SentLast;
    }

    /// <summary>
    /// For a node that has been demoted: what its new master has sent so far. Waits at most <see cref="SuccessorDeadline"/> until that master is
    /// known and its events are forwarded. Null if that does not happen.
    /// </summary>
    public async Task<IReadOnlyList<RecordedNotification>?> SentBySuccessorOfAsync(string nodeId)
    {
        var begun = time.GetTimestamp();
        while (!stop.IsCancellationRequested && time.GetElapsedTime(begun) < SuccessorDeadline)
        {
            var changed = topology.Changed;
            var members = table.Current;
            var masterId = members.FirstOrDefault(member => member.Node.Id == nodeId)?.Node is { Role: NodeRole.Replica } node ? node.MasterId : null;
            if (members.FirstOrDefault(member => member.Node.Id == masterId)?.Feed is { Status: { State: FeedState.Subscribed, Role: NodeRole.Master } } successor)
            {
                await successor.CatchUpAsync(CatchUpDeadline).ConfigureAwait(false);
                return successor.SentLast;
            }

            topology.Hint("a master was demoted");
            await Task.WhenAny(changed, Task.Delay(LookInterval, time, stop)).ConfigureAwait(false);
        }

        return null;
    }

    /// <summary>
    /// For a node that is heard for the first time and is a master: until when the master was heard whose place it has taken, or until when this node surely was no master yet. Null: no
    /// such master was heard.
    /// </summary>
    /// <remarks>The old master may call itself one for a while after the promotion. So the answer is not later than the last moment at which the node surely was no master yet.</remarks>
    public (ClockReading At, EventPosition Last)? HeardBefore(string nodeId)
    {
        var seen = new HashSet<string> { nodeId };
        var before = table.LastMasterOf(nodeId);
        while (before is { Feed.Mastership: null } && seen.Add(before.Node.Id))
        {
            before = table.LastMasterOf(before.Node.Id); // it was a master and is none, and nobody here has noticed
        }

        if (before?.Feed.Mastership is not { } heard || before.Node.Id == nodeId) return null;

        var now = topology.Current;
        var isNamed = now.Masters.Any(master => master.Id == nodeId) && now.ChangedAfter != default;
        var (from, last) = heard.End ?? (ClockReading.Now(time).Before(TopologyWatcher.Late, time), before.Feed.Status.Position);
        return (isNamed && now.ChangedAfter.Timestamp < from.Timestamp ? now.ChangedAfter : from, last);
    }

    /// <summary>
    /// For a node that gets slots from others: waits until the other masters' feeds have read, and passed on, what those nodes have sent by now. A key may be served by its new
    /// node before its slot is, so this is asked before the topology shows the move. Costs one round trip.
    /// </summary>
    public Task OthersFirstAsync(string nodeId) =>
        Task.WhenAll(table.Current.Where(member => member.Node.Id != nodeId && masters.IsServing(member.Node)).Select(member => member.Feed.CatchUpAsync(OthersDeadline)));

    /// <summary>For a node that has been promoted: what its old master has left, if that one is known not to be a master any more.</summary>
    public IReadOnlyList<Estate> EstateOfMasterOf(string nodeId) => table.LastMasterOf(nodeId)?.Feed.TakeEstate() ?? [];

    /// <summary>For a node that has been promoted: what its old master sent last, while it is judged whose events these are.</summary>
    public IReadOnlyList<RecordedNotification> DoubtfulOfMasterOf(string nodeId) => table.LastMasterOf(nodeId)?.Feed.Doubtful ?? [];

    /// <summary>The id of the master that a node replicates, or has replicated last; null: not known.</summary>
    public string? MasterIdOf(string nodeId) => table.LastMasterOf(nodeId)?.Node.Id;

    /// <summary>Who holds, or has held last, the stream of the master that a node replicates or has replaced; null: not known.</summary>
    public string? HolderOfMasterOf(string nodeId) => table.LastMasterOf(nodeId)?.Feed.GroupStatus.LastHolder;

    /// <summary>Gives what masters that were replaced have left to their successors. Any thread.</summary>
    public void LeaveEstates()
    {
        var members = table.Current;
        foreach (var master in members.Where(member => masters.IsServing(member.Node) && member.Feed.Status is { Role: NodeRole.Master, State: FeedState.Subscribed }))
        {
            foreach (var other in members.Where(member => member != master && !masters.IsServing(member.Node) && !masters.IsPromoted(member) && table.IsBehind(member, master)))
            {
                if (other.Feed.TakeEstate() is { Count: > 0 } estates) master.Feed.Inherit(estates);
            }
        }
    }

    /// <summary>
    /// Fences each stale master whose successor is named by the topology and also says itself that it is a master. The stale master's open gap ends there. So does that of a master that
    /// has come back as a replica.
    /// </summary>
    public void FenceStaleMasters(IReadOnlyList<FeedMember> members)
    {
        foreach (var master in members.Where(member => masters.IsServing(member.Node)))
        {
            master.Feed.Fence(false);
            if (master.Feed.Status is not { Role: NodeRole.Master, State: FeedState.Subscribed }) continue;

            foreach (var other in members.Where(member => member != master && !masters.IsServing(member.Node) && !masters.IsPromoted(member) && table.IsBehind(member, master)))
            {
                if (other.Feed.Status.Role == NodeRole.Replica && other.Feed.IsGapOpen) other.Feed.SucceededBy(master.Feed);
                if (other.Feed.Status.Role == NodeRole.Master && other.Feed.Fence(true))
                {
                    other.Feed.SucceededBy(master.Feed);
                    TopologyLog.Succeeded(logger, master.Node.Address.ToString(), other.Node.Address.ToString());
                }
            }
        }
    }
}
