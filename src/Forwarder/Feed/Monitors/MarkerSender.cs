using KeyEvt.Forwarder.Feed.Context;
using KeyEvt.Forwarder.Feed.Status;
using KeyEvt.Forwarder.Redis;
using KeyEvt.Forwarder.Signals;
using KeyEvt.Forwarder.Text;

namespace KeyEvt.Forwarder.Feed.Monitors;

/// <summary>How is a marker sent: as a message to our own channel, or, while there is none, as a PING?</summary>
/// <remarks>
/// Each connection has one. A message proves that the subscription itself works. The answer to a PING, at its position in the stream, proves that
/// everything before it was read, but not that messages still come. Depending on the version, a marker's message comes before or after the answer to
/// its own PUBLISH. It always comes before the answer to the next PUBLISH; if it does not, the subscription is lost. In a cluster the channel belongs
/// to a slot that the node serves. The node may lose the slot at any time. It then cancels the subscription by a push, and PING is used until another
/// channel is found. While nothing is wanted there are no markers, and no subscription to the channel.
/// </remarks>
internal sealed class MarkerSender(FeedContext feed, CommandPipeline commands, PollingIntervals pace)
{
    /// <summary>Time between two attempts to subscribe in a cluster: while a slot moves, both nodes refuse it for a while.</summary>
    private static readonly TimeSpan TryInterval = TimeSpan.FromSeconds(1);

    /// <summary>Changed with Interlocked; read from any thread.</summary>
    private long _sent;

    /// <summary>The read loop, the beat and the handshake share these four fields.</summary>
    private volatile MarkerChannel? _channel;
    private volatile bool _isRefused;
    private volatile bool _isTrying;
    private volatile Func<string?>? _tag;
    private volatile MarkerChannel _plain = MarkerChannel.Plain;

    /// <summary>Timestamp of the last attempt. Used by the beat only.</summary>
    private long _triedAt;

    public long Sent => Volatile.Read(ref _sent);

    /// <summary>The channel on which the markers come back; null if they are PINGs.</summary>
    public MarkerChannel? Channel => _channel;

    /// <summary>Subscribes to the channel if markers are needed. In a cluster <see cref="Send(TimeSpan)"/> finds the channel later.</summary>
    /// <param name="run">The node's run id, as positions have it.</param>
    public async Task SubscribeAsync(bool isCluster, ulong run)
    {
        _plain = ChannelOf(feed, isCluster, run);
        _tag = isCluster && _plain == MarkerChannel.Plain ? feed.MarkerTag : null;
        if (_tag is not null || !pace.IsWanted) return;

        var answered = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        Try(_plain, answered);
        await answered.Task.ConfigureAwait(false);
    }

    /// <summary>On which channel a group speaks, or markers are sent where no sharded one is needed.</summary>
    public static MarkerChannel ChannelOf(FeedContext feed, bool isCluster, ulong run) =>
        isCluster && feed.Group is not null ? MarkerChannel.OfNode(run) : MarkerChannel.Plain;

    /// <summary>Called at each beat: sends a marker if one is due. Timer only.</summary>
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

        if (feed.Group is null && pace.TakeMarker(slack)) Send();
    }

    /// <summary>Called with a message of the group that came back as the answer to a PING. Set before the first message is said.</summary>
    public Action<string> Echoed { get; set; } = static _ => { };

    /// <summary>
    /// Publishes a message on the channel. If that is refused, and this program may be the only member, the message is the text of a PING: its answer has one place in the stream
    /// too, but nobody else hears it.
    /// </summary>
    /// <param name="text">Makes the payload, with a number that was not used before.</param>
    /// <returns>False while nothing can be said.</returns>
    public bool TrySay(Func<long, string> text)
    {
        var channel = _channel;
        if (channel is null && !(_isRefused && feed.Options.MayBeAlone)) return false;

        Interlocked.Increment(ref _sent);
        var number = feed.Markers.Next(ClockReading.Now(feed.Time));
        var payload = text(number);
        if (channel is null) SayToSelf(payload, number);
        else commands.Send((reply, _) => OnPublished(reply, number, channel, payload), channel.PublishCommand, channel.Name, payload);
        return true;
    }

    private void SayToSelf(string payload, long number) => commands.Send(
        (reply, _) =>
        {
            if (reply.IsError) feed.Markers.TrySettle(number, out _);
            else Echoed(reply.Text);
        },
        "PING",
        payload);

    private void Send()
    {
        Interlocked.Increment(ref _sent);
        var number = feed.Markers.Next(ClockReading.Now(feed.Time));
        if (_channel is { } channel)
        {
            commands.Send((reply, _) => OnPublished(reply, number, channel, null), channel.PublishCommand, channel.Name, feed.Markers.PayloadOf(number));
        }
        else
        {
            commands.Send((reply, _) => OnPong(reply, number), "PING");
        }
    }

    /// <summary>Called when the node no longer serves the slot of this channel. Read loop only.</summary>
    public void Unsubscribed(string channel)
    {
        if (_channel?.Name == channel) _channel = null;
    }

    private void Try()
    {
        _triedAt = feed.Time.GetTimestamp();
        if (_tag is not { } tag)
        {
            Try(_plain, null);
        }
        else if (tag() is { } served) // null: the node serves no slot that is known
        {
            commands.Send((_, _) => { }, "READONLY"); // a replica would answer with MOVED to its master otherwise; a master accepts it as well
            Try(MarkerChannel.InShard(served), null);
        }
    }

    /// <param name="answered">Completed by the answer, for the handshake; null after the handshake.</param>
    private void Try(MarkerChannel channel, TaskCompletionSource? answered)
    {
        _isTrying = true;
        commands.SendSubscription(
            (reply, _) =>
            {
                if (!reply.IsError)
                {
                    _channel = channel;
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

    /// <summary>Unsubscribes from the channel, because nothing is wanted any more.</summary>
    private void GiveUp()
    {
        if (_channel is not { } channel) return;

        _channel = null;
        commands.SendSubscription(static (_, _) => { }, channel.UnsubscribeCommand, channel.Name);
    }

    private void OnPong(RedisAnswer reply, long number)
    {
        feed.Markers.TrySettle(number, out _);
        if (!reply.IsError) feed.Progress.Mark(number, isOwn: true);
    }

    /// <param name="payload">What a group said; null: it was a marker.</param>
    private void OnPublished(RedisAnswer reply, long number, MarkerChannel channel, string? payload)
    {
        if (reply.IsError && payload is not null && !RedisErrors.IsPassing(reply) && feed.Options.MayBeAlone)
        {
            Refused(channel.PublishCommand, channel);
            SayToSelf(payload, number);
            return;
        }

        if (reply.IsError)
        {
            feed.Markers.TrySettle(number, out _);
            if (channel.IsShard) RefusedByShard(reply, channel.PublishCommand, channel);
            else if (!RedisErrors.IsPassing(reply)) Refused(channel.PublishCommand, channel);
            return;
        }

        feed.Remedies.Set(FeedAspect.Marker, null); // both rights are there: the channel was subscribed to before
        if (channel != _channel)
        {
            // It was published after the node had cancelled the subscription. The message will not come, but its answer marks the same position.
            if (feed.Markers.TrySettle(number, out _)) feed.Progress.Mark(number, isOwn: true);
        }
        else if (feed.Markers.IsOneDueBefore(number))
        {
            throw new RedisFaultException(RedisFaultKind.SubscriptionLost, "markers are published but do not come back: the subscription is gone");
        }
    }

    /// <summary>
    /// Usually the slot has moved, the cluster is down, or the node has no sharded channels yet. Nobody has to grant a right for these, unlike for NOPERM.
    /// </summary>
    private void RefusedByShard(RedisAnswer reply, string command, MarkerChannel channel)
    {
        _channel = null;
        if (reply.IsNoPermission) Refused(command, channel);
        else if (reply.IsUnknownCommand) _isRefused = true;
    }

    /// <summary>Uses PING for the rest of this connection.</summary>
    private void Refused(string command, MarkerChannel channel)
    {
        (_channel, _isRefused) = (null, true);
        var rights = channel.IsShard ? $"&{MarkerChannel.PlainName}* +ssubscribe +spublish +readonly" : $"&{MarkerChannel.PlainName}{(channel.Name == MarkerChannel.PlainName ? "" : "*")} +subscribe +publish";
        if (feed.Group is not null && !feed.Options.MayBeAlone)
        {
            var remedy = $"{command} {channel.Name} is refused: grant {rights}; until then this program takes no part in its group, and delivers nothing";
            feed.Remedies.Set(FeedAspect.Marker, remedy);
            throw new RedisFaultException(RedisFaultKind.Refused, remedy);
        }

        feed.Remedies.Set(FeedAspect.Marker, $"{command} {channel.Name} is refused: grant {rights}; until then PING takes its place{(feed.Group is null ? "" : ", and others that send events to the same place send the same ones again")}");
    }
}
