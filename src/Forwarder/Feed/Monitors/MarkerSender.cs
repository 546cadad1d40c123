using KeyEvt.Forwarder.Feed.Context;
using KeyEvt.Forwarder.Feed.Status;
using KeyEvt.Forwarder.Redis;
using KeyEvt.Forwarder.Signals;
using KeyEvt.Forwarder.Text;

namespace KeyEvt.Forwarder.Feed.Monitors;

/// <summary>How does a marker travel: as a message to our own channel, or, while there is none, as a PING?</summary>
/// <remarks>
/// One a connection. A message proves the subscription itself; the answer of a PING, in its place in the stream, proves as much about all before it, but
/// not that messages still come. Whether the marker's message comes before or after its PUBLISH's own answer depends on the version; it always comes
/// before the answer of the next one, and if it does not, the subscription is lost. In a cluster the channel is one of a slot that the node serves, which it may
/// lose at any time: the node then takes the subscription back by a push, and PING stands in until another one is found. While nothing is wanted there are no markers,
/// and no subscription to the channel.
/// </remarks>
internal sealed class MarkerSender(FeedContext feed, CommandPipeline commands, PollingIntervals pace)
{
    /// <summary>Between two tries to subscribe in a cluster: a slot on its way is refused by both ends for a while.</summary>
    private static readonly TimeSpan TryInterval = TimeSpan.FromSeconds(1);

    private long _sent;
    private volatile MarkerChannel? _channel;
    private volatile bool _isRefused;
    private volatile bool _isTrying;
    private volatile Func<string?>? _tag;
    private long _triedAt;

    public long Sent => Volatile.Read(ref _sent);

    /// <summary>Where the markers come back; null: they are PINGs.</summary>
    public MarkerChannel? Channel => _channel;

    /// <summary>Subscribes to the channel, if there are to be markers. In a cluster there is none yet.</summary>
    public async Task SubscribeAsync(bool isCluster)
    {
        _tag = isCluster ? feed.MarkerTag : null;
        if (_tag is not null || !pace.IsWanted) return;

        var answered = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        Try(MarkerChannel.Plain, answered);
        await answered.Task.ConfigureAwait(false);
    }

    /// <summary>Each beat. Timer only.</summary>
    public void Send(TimeSpan slack)
    {
        if (!pace.IsWanted)
        {
            if (!_isTrying) GiveUp();
            return;
        }

        if (_channel is null && !_isRefused && !_isTrying && (_triedAt == 0 || _tag is null || feed.Time.GetElapsedTime(_triedAt) + slack >= TryInterval))
        {
            Try();
        }

        if (pace.TakeMarker(slack)) Send();
    }

    private void Send()
    {
        Volatile.Write(ref _sent, _sent + 1);
        var number = feed.Markers.Next(ClockReading.Now(feed.Time));
        if (_channel is { } channel)
        {
            commands.Send((reply, _) => OnPublished(reply, number, channel), channel.PublishCommand, channel.Name, feed.Markers.PayloadOf(number));
        }
        else
        {
            commands.Send((reply, _) => OnPong(reply, number), "PING");
        }
    }

    /// <summary>The node no longer serves the slot of this channel. Read loop only.</summary>
    public void Unsubscribed(string channel)
    {
        if (_channel?.Name == channel) _channel = null;
    }

    private void Try()
    {
        _triedAt = feed.Time.GetTimestamp();
        if (_tag is not { } tag)
        {
            Try(MarkerChannel.Plain, null);
        }
        else if (tag() is { } served) // else the node serves no slot that is known
        {
            commands.Send((_, _) => { }, "READONLY"); // otherwise a replica names its master instead; a master does not mind
            Try(MarkerChannel.InShard(served), null);
        }
    }

    /// <param name="answered">Of the handshake; null: it is over.</param>
    private void Try(MarkerChannel channel, TaskCompletionSource? answered)
    {
        _isTrying = true;
        commands.SendSubscription(
            (reply, _) =>
            {
                if (!reply.IsError)
                {
                    _channel = channel;
                    feed.Remedies.Set(FeedAspect.Marker, null);
                }
                else if (channel.IsShard)
                {
                    RefusedByShard(reply, channel.SubscribeCommand, channel);
                }
                else if (!RedisErrors.IsPassing(reply))
                {
                    Refused(channel.SubscribeCommand, channel);
                }
                else if (answered is not null)
                {
                    throw new RedisFaultException(RedisFaultKind.ConnectFailed, $"the node is not ready yet: {CleanText.Server(reply.Text)}");
                }

                _isTrying = false;
                answered?.TrySetResult();
            },
            channel.SubscribeCommand,
            channel.Name);
    }

    /// <summary>Nothing is wanted any more.</summary>
    private void GiveUp()
    {
        if (_channel is not { } channel) return;

        _channel = null;
        commands.SendSubscription(static (_, _) => { }, channel.UnsubscribeCommand, channel.Name);
    }

    private void OnPong(RedisAnswer reply, long number)
    {
        feed.Markers.TrySettle(number, out _);
        if (!reply.IsError) feed.Progress.Mark(number);
    }

    private void OnPublished(RedisAnswer reply, long number, MarkerChannel channel)
    {
        if (reply.IsError)
        {
            feed.Markers.TrySettle(number, out _);
            if (channel.IsShard) RefusedByShard(reply, channel.PublishCommand, channel);
            else if (!RedisErrors.IsPassing(reply)) Refused(channel.PublishCommand, channel);
        }
        else if (channel != _channel)
        {
            // Published after the node took the subscription back: it will not come, but its answer has come in its place.
            if (feed.Markers.TrySettle(number, out _)) feed.Progress.Mark(number);
        }
        else if (feed.Markers.IsOneDueBefore(number))
        {
            throw new RedisFaultException(RedisFaultKind.SubscriptionLost, "markers are published but do not come back: the subscription is gone");
        }
    }

    /// <summary>The slot has moved, the cluster is down, or the node is older than sharded channels: nothing that somebody has to grant.</summary>
    private void RefusedByShard(RedisAnswer reply, string command, MarkerChannel channel)
    {
        _channel = null;
        if (reply.IsNoPermission) Refused(command, channel);
        else if (reply.IsUnknownCommand) _isRefused = true;
    }

    /// <summary>For the life of this connection.</summary>
    private void Refused(string command, MarkerChannel channel)
    {
        (_channel, _isRefused) = (null, true);
        var rights = channel.IsShard ? $"&{MarkerChannel.PlainName}* +ssubscribe +spublish +readonly" : $"&{MarkerChannel.PlainName} +subscribe +publish";
        feed.Remedies.Set(FeedAspect.Marker, $"{command} {channel.Name} is refused: grant {rights}; until then PING takes its place");
    }
}
