using System.Text;
using KeyEvt.Forwarder.Events;
using KeyEvt.Forwarder.Feed.Context;
using KeyEvt.Forwarder.Feed.Coverage;
using KeyEvt.Forwarder.Feed.Monitors;
using KeyEvt.Forwarder.Feed.Notifications;
using KeyEvt.Forwarder.Feed.Peers;
using KeyEvt.Forwarder.Feed.Status;
using KeyEvt.Forwarder.Group;
using KeyEvt.Forwarder.Redis;
using KeyEvt.Forwarder.Signals;
using Microsoft.Extensions.Logging.Abstractions;

namespace KeyEvt.Forwarder.Tests.Feed;

/// <summary>The parts of a feed that need no connection, put together as <see cref="Forwarder.Feed.FeedConnection"/> does it. The program is alone.</summary>
internal sealed class FeedParts
{
    /// <summary>The run id of the node.</summary>
    public const ulong Run = 1;

    public FeedParts(IEventSink sink, TimeProvider time, NodeFeedOptions options, EventClass wanted = EventClass.All)
    {
        var (group, hold, log, markers) = (new GroupOfOne(), new ReplicaBuffer(options), NullLogger.Instance, new MarkerSequence(time));
        group.Want(wanted);
        Feed = new FeedContext(
            RedisAddress.Parse("redis://node"), options, sink, time, log, markers, new FeedProgress(), new FeedCoverage("node", new GapLog(), time, log), new FlagsLastSeen(), new FeedRemedies("node", log),
            new ObservableStatus(new NodeFeedStatus()), hold)
        {
            Group = new StreamGroup(group.Membership, group.Duties, markers.Instance, options, sink, time),
            Tasks = new SideTasks(time, (name, fault) => throw new InvalidOperationException(name, fault)),
        };
        Commands = new CommandPipeline(time);
        Pace = new PollingIntervals(options, time, () => wanted);
        Outlet = new RoleConfirmGate(Feed, Letters);
        Markers = new MarkerSender(Feed, Commands);
        State = new CheckpointKeeper(Feed, Commands, () => wanted, Outlet, new NotifyFlagsMonitor(Feed, Commands, Letters, Pace, () => wanted, static () => { }));
        Group = Outlet.Group = new GroupMonitor(
            Feed, Feed.Group, Commands, Markers, State, Outlet, static (in position, database, eventName, key, fields, readAt, marker) => throw new InvalidOperationException("nothing was kept"), () => wanted, static () => { });
    }

    public FeedContext Feed { get; }

    public CommandPipeline Commands { get; }

    public NodeLetters Letters { get; } = new();

    public PollingIntervals Pace { get; }

    public RoleConfirmGate Outlet { get; }

    public MarkerSender Markers { get; }

    public CheckpointKeeper State { get; }

    public GroupMonitor Group { get; }

    /// <summary>The program has asked who delivers, nobody has answered, and its claim has this number.</summary>
    public void TakeOffice(long claim)
    {
        var me = Feed.Group.Member.Name;
        Feed.Progress.Begin(Run, claim - 2);
        Group.Begin(Run);
        Hear(new GroupMessage.Who(me, claim - 1));
        Feed.Group.Member.Claiming(claim);
        Hear(new GroupMessage.FreshClaim(me, claim, claim - 1, default, 1));
    }

    private void Hear(GroupMessage message) => Group.Read(Encoding.UTF8.GetBytes(Feed.Group.Envelope.Write(message, Run)));
}
