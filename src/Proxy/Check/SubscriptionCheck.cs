using KeyEvt.Forwarder.Feed;
using KeyEvt.Forwarder.Feed.Context;

namespace KeyEvt.Proxy.Check;

/// <summary>May the feeds, and the clients whose streams are merged, subscribe and publish as they need to?</summary>
internal static class SubscriptionCheck
{
    /// <summary>Checks whether the feeds may publish their markers.</summary>
    public static async Task PublishAsync(CheckTarget target)
    {
        var isNamed = target.Options.Forwarder.Group is not null;
        var without = isNamed ? "without it this program takes no part in its group, and delivers nothing"
            : "without it this program forwards for itself: others that send events to the same place send the same ones again";
        var channel = target.Markers.Name;
        // It names no group, so no member reads it.
        var publish = await target.Redis.AskAsync(MarkerChannel.Publish, channel, "keyevt-check:0");
        if (publish.IsError)
        {
            target.Add(isNamed ? CheckOutcome.Fails : CheckOutcome.Warning, "markers", publish.Text, $"{target.Grant(target.MarkerRights)}: {without}");
        }
        else
        {
            target.Add(CheckOutcome.Works, "markers", $"may be published on {channel}");
        }
    }

    /// <summary>Call this last: a RESP2 connection that has subscribed accepts only few other commands.</summary>
    public static async Task SubscribeAllAsync(CheckTarget target)
    {
        await SubscribeAsync(target);
        if (target.Options.Server.MergeKeyspace) await MergedSubscriptionsAsync(target);
    }

    private static async Task SubscribeAsync(CheckTarget target)
    {
        var refused = new HashSet<string>();
        var patterns = FeedPatterns.Of(target.Needed, target.Server.Classes, refused);
        for (var i = 0; i < patterns.Count; i++)
        {
            var pattern = patterns[i];
            var reply = await target.Redis.AskAsync("PSUBSCRIBE", pattern);
            if (!reply.IsError)
            {
                target.Add(CheckOutcome.Works, "subscribe", pattern);
            }
            else if (pattern == FeedPatterns.Fields)
            {
                target.Add(CheckOutcome.Warning, "subscribe", reply.Text, $"{target.Grant($"&{pattern}")}: without it events come without the fields of hashes");
            }
            else if (pattern == FeedPatterns.All)
            {
                target.Add(CheckOutcome.Fails, "subscribe", reply.Text, target.Grant($"+psubscribe &{pattern}"));
            }
            else
            {
                refused.Add(pattern); // the feed would then subscribe to all events by one pattern, so the loop begins again with that one
                (patterns, i) = (FeedPatterns.Of(target.Needed, target.Server.Classes, refused), -1);
            }
        }

        var marker = await target.Redis.AskAsync(MarkerChannel.Subscribe, target.Markers.Name);
        if (marker.IsError)
        {
            target.Add(target.Options.Forwarder.Group is null ? CheckOutcome.Warning : CheckOutcome.Fails, "subscribe", $"{target.Markers.Name}: {marker.Text}", target.Grant(target.MarkerRights));
        }
    }

    /// <summary>
    /// Tries typical subscriptions, with the commands that the proxy sends to the other masters. Which ones clients will ask for is not known.
    /// </summary>
    private static async Task MergedSubscriptionsAsync(CheckTarget target)
    {
        const string What = "merged streams", Pattern = "__keyspace@*__:*", Channel = "__keyevent@0__:expired";
        foreach (var (command, name) in ((string, string)[])[("PSUBSCRIBE", Pattern), ("SUBSCRIBE", Channel), ("PUNSUBSCRIBE", Pattern), ("UNSUBSCRIBE", Channel)])
        {
            var reply = await target.Redis.AskAsync(command, name);
            if (!reply.IsError) continue;
            target.Add(CheckOutcome.Warning, What, $"{command} {name}: {reply.Text}", $"{target.Grant("+subscribe +psubscribe +unsubscribe +punsubscribe +ping &*")}, or instead of &* the very channels and patterns that clients ask for");
            return;
        }

        target.Add(CheckOutcome.Works, What, $"{Pattern} and the like may be subscribed to");
    }
}
