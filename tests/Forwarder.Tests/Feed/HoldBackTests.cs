using KeyEvt.Forwarder.Feed.Notifications;
using KeyEvt.Forwarder.Feed.Status;
using KeyEvt.Forwarder.Signals;
using Microsoft.Extensions.Time.Testing;
using Xunit;

namespace KeyEvt.Forwarder.Tests.Feed;

/// <summary>Is enough kept of what a replica sends to tell its echoes from what is new, however rarely markers come?</summary>
public sealed class HoldBackTests
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

    private void Both(NotificationRing sent, string key)
    {
        sent.Add(default, 0, "set"u8, System.Text.Encoding.ASCII.GetBytes(key), default, 0);
        Keep(key);
    }

    private void Keep(string key) => _hold.Keep(default, new Notification(0, "set"u8, System.Text.Encoding.ASCII.GetBytes(key), default, default), 0);
}
