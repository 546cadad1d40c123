using System.Globalization;
using System.Text;
using KeyEvt.Forwarder.Events;
using KeyEvt.Forwarder.Feed.Context;
using KeyEvt.Forwarder.Feed.Handover;
using KeyEvt.Forwarder.Feed.Peers;
using KeyEvt.Forwarder.Feed.Notifications;
using KeyEvt.Forwarder.Feed.Status;
using KeyEvt.Forwarder.Group;
using KeyEvt.Forwarder.Signals;
using KeyEvt.Forwarder.Tests.Feed;

namespace KeyEvt.Forwarder.Tests.Group.Simulation;

/// <summary>One program of a simulated group: it reads the stream at its own pace, with the program's own classes, and has a delivery of its own.</summary>
internal sealed class SimulatedMember : IEventSink, IHolderDuties
{
    private const ulong RunId = 0xabc;

    private readonly SimulatedWorld _world;
    private readonly MarkerSequence _numbers;
    private readonly FeedProgress _progress = new();
    private readonly StreamGroup _group;
    private readonly List<(long Sequence, int Event, string Id)> _waiting = [];
    private readonly List<(long Sequence, int Event, string Id)> _sent = [];
    private KeptWatermark _kept;
    private int _subscribedAt;
    private int? _unknownSince; // the first subscription since the state was known last
    private int? _lostAt; // where a subscription was lost, if it is not known yet whether others have heard what came since
    private long _tail;
    private long _head;

    public SimulatedMember(SimulatedWorld world, string name, TimeSpan clockError)
    {
        _world = world;
        _numbers = new MarkerSequence(new WrongClock(world.Time, clockError), name);
        _group = new StreamGroup(
            new GroupMembership(new GroupEnvelope("sim", new MessageSeal(null)), () => this, new FixedConfig()), this, _numbers.Instance, new NodeFeedOptions { GroupBytes = world.RingBytes }, this, world.Time);
    }

    public string Name => _numbers.Instance;

    public bool IsAlive { get; set; } = true;

    public bool IsFrozen { get; set; }

    public bool IsBrokerThere { get; set; } = true;

    public bool IsSubscribed => _group.Member.IsSubscribed;

    /// <summary>The index in the stream that it reads next.</summary>
    public int At { get; private set; }

    public StreamMember Member => _group.Member;

    public (long Timestamp, long Term)? Fenced => null;

    public IEnumerable<int> Unsettled => _waiting.Concat(_sent).Select(one => one.Event);

    public bool IsIdle => _waiting.Count == 0 && _sent.Count == 0;

    public void Subscribe()
    {
        At = _subscribedAt = _world.Stream.Count;
        _unknownSince ??= At;
        _numbers.Forget();
        _progress.Begin(RunId, _numbers.Reserve());
        Member.Hear(true);
        _group.Begin(RunId, _progress.Position.Marker);
        _kept = new KeptWatermark(_world.Kept, false);
        _numbers.RaiseAbove(_world.Kept.Marker);
        Tick();
    }

    public void LoseFeed()
    {
        if (!IsSubscribed) return;

        if (Member.IsKnown) _lostAt ??= At;
        _group.End(out _);
        if (_group.Owed is { } owed) _world.Say(_group.Envelope.Write(owed.Message(_numbers.Reserve()), RunId));
        _group.Owed = null;
    }

    public void Tick()
    {
        if (!IsSubscribed) return;

        Member.Delivery.Advance();
        foreach (var message in _group.Proposals.Due(_kept))
        {
            var number = _numbers.Next(ClockReading.Now(_world.Time));
            _world.Say(_group.Envelope.Write(message(number), RunId));
        }

        if (Member.IsDelivering) _world.Keep(Member.Settled.Settled);
    }

    public void ReadOne()
    {
        if (!IsSubscribed || At >= _world.Stream.Count) return;

        var at = At++;
        if (_world.Stream[at] is { } text)
        {
            ReadMessage(Encoding.UTF8.GetBytes(text));
            return;
        }

        var position = _progress.Receive();
        _group.Proposals.EventCame();
        var key = Encoding.ASCII.GetBytes(at.ToString(CultureInfo.InvariantCulture));
        var notification = new Notification(0, "set"u8, key, default, default);
        if (Member.Keep(position, notification, 0)) Received(position, 0, default, "set"u8, key, default, 0);
        NoteProgress();
    }

    public void Publish()
    {
        if (_waiting.Count == 0 || !IsBrokerThere) return;

        var one = _waiting[0];
        _waiting.RemoveAt(0);
        _sent.Add(one);
        _world.Deliver(one.Event, one.Id);
    }

    public void Confirm(Random random)
    {
        if (_sent.Count == 0 || !IsBrokerThere) return;

        _sent.RemoveAt(random.Next(_sent.Count));
        _head = _sent.Concat(_waiting).Select(one => one.Sequence).DefaultIfEmpty(_tail).Min();
    }

    /// <summary>Sends what was sent and not confirmed once more, as after a lost link.</summary>
    public void SendAgain()
    {
        _waiting.InsertRange(0, _sent.OrderBy(one => one.Sequence));
        _sent.Clear();
    }

    public void Received(in EventPosition position, int database, EventClass eventClass, ReadOnlySpan<byte> eventName, ReadOnlySpan<byte> key, ReadOnlySpan<byte> fields, long unixMilliseconds) =>
        _waiting.Add((_tail++, int.Parse(key, CultureInfo.InvariantCulture), position.ToString()));

    public void EndOfBatch()
    {
        // Nobody sleeps here.
    }

    public long? Mark() => _tail;

    public bool IsSettled(long mark) => _head >= mark;

    public void Hold(long term) => _world.NoteTerm(this, term);

    public void HandOver()
    {
        _world.Tell($"{Name} at {At} hands over {string.Join(' ', _waiting.Concat(_sent).Select(one => one.Event))}");
        _waiting.Clear();
        _sent.Clear();
        _head = _tail;
    }

    private void ReadMessage(byte[] payload)
    {
        if (_group.Envelope.Read(payload, RunId) is not { } message)
        {
            throw new InvalidOperationException($"not understood: {Encoding.UTF8.GetString(payload)}");
        }

        ClockReading? saidAt = message.Member == Name && _numbers.TrySettle(message.Number, out var sentAt) ? sentAt : null;
        NoteProgress();
        var wasKnown = Member.IsKnown;
        var outcome = Member.Read(message, _progress.Position.Count);
        if (Member.IsKnown) _progress.Mark(Member.Marker, isOwn: saidAt is not null);
        _numbers.RaiseAbove(Math.Max(message.Number, Member.Marker));
        _group.Proposals.Heard(message, outcome, saidAt);
        if (outcome != StreamOutcome.None)
        {
            _world.Tell($"{Name} at {At}: {outcome}, holder {Member.Holder}, watermark {Member.Watermark}, reach {Member.Reach}");
        }

        if (outcome.HasFlag(StreamOutcome.Won))
        {
            if (outcome.HasFlag(StreamOutcome.Anew)) DeclareAnew(wasKnown);
            if (Member.Missing is { } missing) _world.DeclareGap(_world.IndexOf(missing.From), FirstKept());
            Member.Replay((in position, database, eventName, key, fields, readAt, _) => Received(position, database, default, eventName, key, fields, readAt));
            NoteProgress();
        }
        else if ((outcome.HasFlag(StreamOutcome.Learned) || outcome.HasFlag(StreamOutcome.Anew)) && !Member.LastKnown.IsContinued)
        {
            if (Member.LastKnown.Undelivered is { } last) _world.DeclareGap(_world.IndexOf(KeptEvents.PlaceOf(last)), At);
            else if (_lostAt is { } lost) _world.DeclareGap(lost, At);
        }

        if (outcome.HasFlag(StreamOutcome.Learned) || outcome.HasFlag(StreamOutcome.Anew)) (_lostAt, _unknownSince) = (null, null);
        _world.Check();
    }

    private void DeclareAnew(bool wasKnown)
    {
        _world.ExcuseIds(_unknownSince ?? _subscribedAt, At);
        if (_lostAt is null && _kept.Watermark == default && _world.IsAnotherInStep(this))
        {
            // Nothing is kept. The others declare what they miss, and a holder that was set aside still settles what it has.
            _world.ExcuseOrder(Enumerable.Range(0, _subscribedAt));
            _world.LeaveToOthers(Member.Claim!.Value, _subscribedAt);
            return;
        }

        _world.DeclareGap(_lostAt ?? _world.IndexOf(_kept.Watermark), wasKnown ? FirstKept() : FirstHeard());
    }

    /// <summary>The index of the first event of this subscription that was not pushed out of the ring.</summary>
    private int FirstHeard()
    {
        var (at, dropped) = (_subscribedAt, Member.Reach!.Value.Count);
        while (dropped > 0) dropped -= _world.Stream[at++] is null ? 1 : 0;
        return at;
    }

    private int FirstKept()
    {
        var first = At;
        Member.Visit((in position, database, eventName, key, fields, readAt, marker) => first = Math.Min(first, int.Parse(key, CultureInfo.InvariantCulture)));
        return first;
    }

    private void NoteProgress()
    {
        if (!Member.IsDelivering) return;

        var place = new StreamPlace(_progress.Position.Marker, _progress.Position.Count);
        _world.NotePlace(place, At);
        Member.Settled.Note(place);
    }

    /// <summary>A clock that is some time ahead or behind; durations are right.</summary>
    private sealed class WrongClock(TimeProvider time, TimeSpan error) : TimeProvider
    {
        public override DateTimeOffset GetUtcNow() => time.GetUtcNow() + error;

        public override long GetTimestamp() => time.GetTimestamp();

        public override long TimestampFrequency => time.TimestampFrequency;
    }
}
