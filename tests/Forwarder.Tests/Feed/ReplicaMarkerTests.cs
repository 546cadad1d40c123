using KeyEvt.Forwarder.Events;
using KeyEvt.Forwarder.Feed.Notifications;
using KeyEvt.Forwarder.Feed.Status;
using KeyEvt.Forwarder.Signals;
using Microsoft.Extensions.Time.Testing;
using Xunit;

namespace KeyEvt.Forwarder.Tests.Feed;

/// <summary>Is enough kept of what a replica sends to tell its echoes from what is new, however rarely markers come?</summary>
public sealed class ReplicaMarkerTests
{
    private readonly FakeTimeProvider _time = new();
    private readonly ReplicaBuffer _hold = new(new NodeFeedOptions());

    [Fact]
    public void Behind_the_last_marker_of_its_master_what_is_kept_is_told_apart_though_answers_came_since()
    {
        var sent = new NotificationRing(1 << 20); // the master's
        _hold.SeenReplica(ClockReading.Now(_time), default, isConnected: true);
        Both(sent, "same");
        _hold.KeepMarker("m1"u8);
        sent.AddMarker("m1"u8);
        for (var answer = 0; answer < 3; answer++) // a role is asked four times a second, markers come once
        {
            _hold.SeenReplica(ClockReading.Now(_time), default, isConnected: true);
        }

        Both(sent, "same");
        Keep("same"); // replicated by the dying master, whose own notification never came

        _hold.BeginPromotion();
        var fresh = _hold.Settle(sent.Read(), out var missed);
        Assert.Null(missed);
        Assert.Single(fresh);
    }

    [Fact]
    public void What_is_older_than_two_markers_and_two_answers_is_not_kept()
    {
        for (var i = 0; i < 10; i++)
        {
            _hold.SeenReplica(ClockReading.Now(_time), default, isConnected: true);
            _hold.KeepMarker("m"u8);
            Keep($"k{i}");
        }

        _hold.BeginPromotion();
        Assert.Equal(["k7", "k8", "k9"], _hold.Settle([], out _).Select(one => System.Text.Encoding.ASCII.GetString(one.Key.Span)));
    }

    [Fact]
    public void Where_markers_come_no_more_what_is_older_than_two_answers_is_not_kept()
    {
        _hold.SeenReplica(ClockReading.Now(_time), default, isConnected: true);
        _hold.KeepMarker("m"u8);
        for (var i = 0; i < 100; i++)
        {
            _hold.SeenReplica(ClockReading.Now(_time), default, isConnected: true);
            Keep($"k{i}");
        }

        _hold.BeginPromotion();
        Assert.Equal(["k98", "k99"], _hold.Settle([], out _).Select(one => System.Text.Encoding.ASCII.GetString(one.Key.Span)));
    }

    [Fact]
    public void What_is_still_kept_is_not_known_to_be_repeated()
    {
        for (var count = 1; count <= 4; count++)
        {
            Keep("k", count);
            _hold.SeenReplica(ClockReading.Now(_time), At(count), isConnected: true);
        }

        Assert.Equal(At(3), _hold.Repeated); // all of it was cut off
        _hold.KeepMarker("m"u8);
        for (var count = 5; count <= 9; count++)
        {
            Keep("k", count);
            _hold.SeenReplica(ClockReading.Now(_time), At(count), isConnected: true);
        }

        Assert.Equal(At(4), _hold.Repeated);
        _hold.BeginPromotion();
        Assert.Equal([5, 6, 7, 8, 9], _hold.Settle([], out _).Select(static one => one.Position.Count));
    }

    [Fact]
    public void A_node_is_held_back_as_a_replica_while_a_promotion_is_settled_and_while_it_is_fenced()
    {
        Assert.False(_hold.IsHeld);
        Replica();
        Assert.True(_hold is { IsHeld: true, IsReplica: true, IsPromoting: false });
        Assert.Equal(1, _hold.BeginPromotion());
        Assert.True(_hold is { IsHeld: true, IsReplica: false, IsPromoting: true, Promotion: 1 });
        Replica();
        Assert.True(_hold is { IsReplica: true, IsPromoting: false });
        Assert.Equal(2, _hold.BeginPromotion());
        _hold.Settle([], out _);
        Assert.False(_hold.IsHeld || _hold.IsPromoting || _hold.IsReplica);
        _hold.Fence(default, default);
        Assert.True(_hold is { IsHeld: true, IsFenced: true, IsReplica: false });
        Replica();
        Assert.False(_hold.IsFenced);
    }

    [Fact]
    public void What_comes_from_a_fenced_node_is_not_kept_and_neither_are_markers_of_a_node_that_is_no_replica()
    {
        _hold.Fence(default, default);
        Keep("fenced");
        _hold.KeepMarker("m"u8);
        _hold.BeginPromotion();
        _hold.KeepMarker("m"u8);
        Assert.Empty(_hold.Settle(null, out var missed));
        Assert.Null(missed);
    }

    [Fact]
    public void Where_the_old_master_is_not_known_what_was_kept_is_missed_and_without_events_nothing_is()
    {
        Replica();
        _hold.KeepMarker("m"u8);
        _hold.BeginPromotion();
        Assert.Empty(_hold.Settle(null, out var missed));
        Assert.Null(missed);

        Replica();
        Keep("k");
        _hold.BeginPromotion();
        Assert.Empty(_hold.Settle(null, out missed));
        Assert.Equal("the node was promoted; what it sent before that was noticed was held back", missed);
        Assert.Empty(_hold.Settle([], out missed));
        Assert.Null(missed);
    }

    [Fact]
    public void More_than_may_be_kept_is_said_and_so_is_a_likeness_that_may_be_chance()
    {
        var small = new ReplicaBuffer(new NodeFeedOptions { KeptBytes = 1000 });
        small.SeenReplica(ClockReading.Now(_time), default, isConnected: true);
        for (var i = 0; i < 100; i++) small.Keep(default, new Notification(0, "set"u8, "k"u8, default, default), 0);
        small.BeginPromotion();
        Assert.NotEmpty(small.Settle([], out var missed));
        Assert.Equal("more than 1000 bytes came before the promotion was noticed", missed);

        var sent = new NotificationRing(1 << 20);
        Replica();
        Both(sent, "same");
        sent.Add(default, 0, "set"u8, "same"u8, default, 0);
        _hold.BeginPromotion();
        _hold.Settle(sent.Read(), out missed);
        Assert.Equal("what the promoted node sent first looks like what its master had sent, more than once", missed);
    }

    [Fact]
    public void An_answer_of_a_replica_without_its_master_proves_nothing_but_the_first_one_is_the_last_known()
    {
        var first = ClockReading.Now(_time);
        _hold.SeenReplica(first, new EventPosition(1, 1, 1), isConnected: false);
        Assert.Equal((first, new EventPosition(1, 1, 1)), _hold.Last);
        _time.Advance(TimeSpan.FromSeconds(1));
        Keep("kept");
        for (var i = 0; i < 3; i++) _hold.SeenReplica(ClockReading.Now(_time), new EventPosition(1, 1, 2), isConnected: false);
        Assert.Equal((first, new EventPosition(1, 1, 1)), _hold.Last);
        _hold.BeginPromotion();
        Assert.Single(_hold.Settle([], out _));

        var later = ClockReading.Now(_time);
        _hold.SeenReplica(later, new EventPosition(1, 1, 3), isConnected: true);
        Assert.Equal((later, new EventPosition(1, 1, 3)), _hold.Last);
    }

    [Fact]
    public void After_a_promotion_its_markers_are_forgotten()
    {
        Replica();
        _hold.KeepMarker("m1"u8);
        _hold.KeepMarker("m2"u8);
        _hold.BeginPromotion();
        _hold.Settle([], out _);
        for (var i = 0; i < 4; i++)
        {
            Replica();
            Keep($"k{i}");
        }

        _hold.BeginPromotion();
        Assert.Equal(["k2", "k3"], _hold.Settle([], out _).Select(one => System.Text.Encoding.ASCII.GetString(one.Key.Span)));
    }

    private void Replica() => _hold.SeenReplica(ClockReading.Now(_time), default, isConnected: true);

    private void Both(NotificationRing sent, string key)
    {
        sent.Add(default, 0, "set"u8, System.Text.Encoding.ASCII.GetBytes(key), default, 0);
        Keep(key);
    }

    private static EventPosition At(int count) => new(1, 1, count);

    private void Keep(string key, int count = 0) => _hold.Keep(count == 0 ? default : At(count), new Notification(0, "set"u8, System.Text.Encoding.ASCII.GetBytes(key), default, default), 0);
}
