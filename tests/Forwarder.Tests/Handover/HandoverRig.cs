using System.Globalization;
using System.Text;
using KeyEvt.Forwarder.Events;
using KeyEvt.Forwarder.Feed.Handover;
using KeyEvt.Forwarder.Feed.Peers;
using KeyEvt.Forwarder.Feed.Notifications;
using KeyEvt.Forwarder.Feed.Status;
using KeyEvt.Forwarder.Group;
using KeyEvt.Forwarder.Signals;
using KeyEvt.Forwarder.Tests.Feed;
using Microsoft.Extensions.Time.Testing;

namespace KeyEvt.Forwarder.Tests.Handover;

/// <summary>One member of a group, named "m", that is given the messages and events of its stream one by one. Delivery is a list that settles nothing of itself.</summary>
internal sealed class HandoverRig : IEventSink, IHolderDuties
{
    public const ulong Run = 0xabc;

    private readonly FeedProgress _progress = new();
    private readonly MemoryLog _log;

    /// <param name="isServing">Whether the node is a master now, where another one can take its place; null: it always is one.</param>
    /// <param name="sameProgram">The same program's part in another stream: delivery is one for both.</param>
    public HandoverRig(int ringBytes = 100_000, Func<bool>? isServing = null, MemberOrder? order = null, HandoverRig? sameProgram = null)
    {
        _log = sameProgram?._log ?? new MemoryLog();
        Member = new StreamMember("m", ringBytes, this, this, isServing);
        Peers = new PeerTable("m", Time);
        Proposals = new MemberProposals(Member, Peers, this, Config, Times, Time, order ?? new MemberOrder("m"));
        Time.Advance(TimeSpan.FromHours(1));
    }

    public FakeTimeProvider Time { get; } = new();

    public FixedConfig Config { get; } = new();

    public MemberTimes Times { get; } = new();

    public StreamMember Member { get; }

    public PeerTable Peers { get; }

    public MemberProposals Proposals { get; }

    public bool IsBrokerThere { get; set; } = true;

    public (long Timestamp, long Term)? Fenced => null;

    /// <summary>What delivery got: key and position.</summary>
    public List<string> Passed { get; } = [];

    /// <summary>What delivery was told.</summary>
    public List<string> Told { get; } = [];

    public string Keys => string.Join(' ', Passed.Select(one => one.Split('@')[0]));

    public long LastNumber { get; private set; } = 1000;

    public static StreamPlace At(long marker, int count = 0) => new(marker, count);

    public static GroupMessage Mark(string member, long number, StreamPlace? reach, bool broker = true) => new GroupMessage.Mark(member, number, reach, broker, null);

    public static GroupMessage Holding(string member, long number, MessageId claim, StreamPlace settled, StreamPlace reach, bool broker = true) =>
        new GroupMessage.Mark(member, number, reach, broker, new GroupMessage.HolderMark(claim, settled));

    public void Subscribe(long label = 5)
    {
        Member.End(canOthersGoOn: false);
        _progress.Begin(Run, label);
        Member.Hear(true);
        Member.Begin(Run, label);
        Proposals.Begin();
    }

    /// <summary>A subscription in which "h" is the holder by the claim h/20, and this member is in step from 30 on.</summary>
    public void Join(StreamPlace? settled = null, MessageId origin = default)
    {
        Subscribe();
        Read(new GroupMessage.Who("m", 30));
        Read(new GroupMessage.StateOf("h", 31, new MessageId("m", 30), new GroupSnapshot(30, new MessageId("h", 20), "h", settled ?? At(25), [], [], 0, origin)));
    }

    /// <summary>A subscription in which this member is the holder by a fresh claim with number 40.</summary>
    public void Hold(StreamPlace kept = default)
    {
        Subscribe();
        Read(new GroupMessage.Who("m", 30));
        Member.Claiming(40);
        Read(new GroupMessage.FreshClaim("m", 40, 30, kept, 0));
    }

    public void Event(string key)
    {
        var position = _progress.Receive();
        Proposals.EventCame();
        var notification = new Notification(0, "set"u8, Encoding.ASCII.GetBytes(key), default, default);
        if (Member.Keep(position, notification, 0)) Pass(position, key);
    }

    /// <summary>An event that came earlier, and has waited.</summary>
    public void EventOf(StreamPlace place, string key)
    {
        var position = new EventPosition(Run, place.Marker, place.Count);
        if (Member.Keep(position, new Notification(0, "set"u8, Encoding.ASCII.GetBytes(key), default, default), 0)) Pass(position, key);
    }

    public StreamOutcome Read(GroupMessage message, bool isOwn = false)
    {
        if (Member.IsDelivering) Member.Settled.Note(At(_progress.Position.Marker, _progress.Position.Count));
        var outcome = Member.Read(message, _progress.Position.Count);
        if (Member.IsKnown) _progress.Mark(Member.Marker, isOwn);
        Proposals.Heard(message, outcome, isOwn ? ClockReading.Now(Time) : null);
        if (outcome.HasFlag(StreamOutcome.Won) && Member.IsServing) Replay();

        return outcome;
    }

    /// <summary>The node has become a master, with what its old one has left.</summary>
    public void Serve(params IReadOnlyList<Estate> estates)
    {
        foreach (var estate in estates) Member.Inherit(estate, At(_progress.Position.Marker, _progress.Position.Count));
        if (Member.Serve()) Replay();
    }

    private void Replay() => Member.Replay((in position, _, _, key, _, _, _) => Pass(position, Encoding.ASCII.GetString(key)));

    /// <summary>What it says now, each with a number of its own; what it has said comes back at once if told so.</summary>
    public List<GroupMessage> Say(KeptWatermark? kept = null, bool comesBack = true)
    {
        var said = Proposals.Due(kept ?? new KeptWatermark()).Select(message => message(++LastNumber)).ToList();
        foreach (var message in said.Where(_ => comesBack)) Read(message, isOwn: true);
        return said;
    }

    /// <summary>Looks every 50 ms, as the program does, and returns what was said.</summary>
    public List<GroupMessage> Look(double seconds, bool comesBack = true)
    {
        var said = new List<GroupMessage>();
        for (var look = 0; look < seconds / 0.05; look++)
        {
            Time.Advance(TimeSpan.FromMilliseconds(50));
            said.AddRange(Say(comesBack: comesBack));
        }

        return said;
    }

    /// <summary>Delivery has settled all that it got.</summary>
    public void SettleAll() => _log.Head = _log.Tail;

    public void Received(in EventPosition position, int database, EventClass eventClass, ReadOnlySpan<byte> eventName, ReadOnlySpan<byte> key, ReadOnlySpan<byte> fields, long unixMilliseconds) =>
        throw new InvalidOperationException("events are passed on by the rig itself");

    public void EndOfBatch()
    {
        // Nobody sleeps here.
    }

    long? IEventSink.Mark() => _log.Tail;

    public bool IsSettled(long mark) => _log.Head >= mark;

    void IHolderDuties.Inherit(IHolderDuties old) => Told.Add("inherit");

    void IHolderDuties.Hold(long term) => Told.Add(string.Create(CultureInfo.InvariantCulture, $"hold {term}"));

    public void HandOver()
    {
        Told.Add("hand over");
        SettleAll(); // as the memory log: what is handed over has left it
    }

    private void Pass(in EventPosition position, string key)
    {
        _log.Tail++;
        Passed.Add(string.Create(CultureInfo.InvariantCulture, $"{key}@{position.Marker}-{position.Count}"));
    }

    /// <summary>How many events delivery has got, and how many of them it has settled.</summary>
    private sealed class MemoryLog
    {
        public long Tail { get; set; }

        public long Head { get; set; }
    }
}
