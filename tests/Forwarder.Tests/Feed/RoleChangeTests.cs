using KeyEvt.Forwarder.Events;
using KeyEvt.Forwarder.Feed.Monitors;
using KeyEvt.Forwarder.Feed.Notifications;
using KeyEvt.Forwarder.Feed.Status;
using KeyEvt.Forwarder.Signals;
using KeyEvt.Servers;
using Microsoft.Extensions.Time.Testing;
using Xunit;

namespace KeyEvt.Forwarder.Tests.Feed;

/// <summary>What does a feed know of the events around a change of its node's role, until the other node's feed has answered?</summary>
public sealed class RoleChangeTests
{
    [Fact]
    public async Task What_a_demoted_master_sent_last_counts_as_a_repetition_only_when_it_has_been_judged()
    {
        var time = new FakeTimeProvider();
        var feed = new FeedParts(new RecordingSink(), time, new NodeFeedOptions());
        var sent = new TaskCompletionSource<IReadOnlyList<RecordedNotification>?>();
        feed.Feed.Successor = () => sent.Task;
        var doubtful = new RecordedNotification(new EventPosition(FeedParts.Run, 2, 1), 0, "set"u8.ToArray(), "a"u8.ToArray(), default, 0, default);
        new RoleChange(feed.Feed, feed.Outlet).Demoted([doubtful], ClockReading.Now(time));
        for (var answer = 2; answer < 5; answer++)
        {
            feed.Feed.Hold.SeenReplica(ClockReading.Now(time), new EventPosition(FeedParts.Run, answer, 0), isConnected: true);
        }

        Assert.Null(feed.Feed.Hold.Repeated);

        sent.SetResult([doubtful]);
        await Eventually.TrueAsync("the judgement", () => feed.Feed.Hold.Repeated == new EventPosition(FeedParts.Run, 3, 0));
    }
}
