using KeyEvt.Forwarder.Feed.Context;
using KeyEvt.Forwarder.Feed.Status;
using KeyEvt.Forwarder.Redis;
using KeyEvt.Forwarder.Signals;
using KeyEvt.Forwarder.Text;

namespace KeyEvt.Forwarder.Feed.Monitors;

/// <summary>How is something said to the group: as a message on its channel, or, where a program alone has none, as the text of a PING?</summary>
/// <remarks>
/// Each connection has one. A message proves that the subscription itself works. The answer to a PING, at its position in the stream, proves that
/// everything before it was read, but not that messages still come. Depending on the version, a message comes before or after the answer to its own
/// PUBLISH. It always comes before the answer to the next PUBLISH; if it does not, the subscription is lost.
/// </remarks>
internal sealed class MarkerSender(FeedContext feed, CommandPipeline commands)
{
    /// <summary>Changed with Interlocked; read from any thread.</summary>
    private long _sent;

    /// <summary>The channel that is subscribed to; null: none, or it may not be used. The read loop and the handshake share these two fields.</summary>
    private volatile MarkerChannel? _channel;
    private volatile bool _isRefused;

    public long Sent => Volatile.Read(ref _sent);

    /// <summary>The channel on which messages come back; null if they are PINGs.</summary>
    public MarkerChannel? Channel => _channel;

    /// <summary>Called with a message of the group that came back as the answer to a PING. Set before the first message is said.</summary>
    public Action<string> Echoed { get; set; } = static _ => { };

    /// <summary>Subscribes to the channel of the group.</summary>
    /// <param name="run">The node's run id, as positions have it.</param>
    public async Task SubscribeAsync(bool isCluster, ulong run)
    {
        var channel = MarkerChannel.Of(isCluster, run);
        var answered = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        commands.SendSubscription(
            (reply, _) =>
            {
                if (RedisErrors.IsPassing(reply))
                {
                    throw new RedisFaultException(RedisFaultKind.ConnectFailed, $"the node is not ready yet: {CleanText.Server(reply.Text)}");
                }

                if (reply.IsError) Refused(MarkerChannel.Subscribe, channel);
                else _channel = channel;
                answered.TrySetResult();
            },
            MarkerChannel.Subscribe,
            channel.Name);
        await answered.Task.ConfigureAwait(false);
    }

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
        else commands.Send((reply, _) => OnPublished(reply, number, channel, payload), MarkerChannel.Publish, channel.Name, payload);
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

    private void OnPublished(RedisAnswer reply, long number, MarkerChannel channel, string payload)
    {
        if (reply.IsError && !RedisErrors.IsPassing(reply))
        {
            Refused(MarkerChannel.Publish, channel);
            SayToSelf(payload, number);
        }
        else if (reply.IsError)
        {
            feed.Markers.TrySettle(number, out _);
        }
        else
        {
            feed.Remedies.Set(FeedAspect.Marker, null); // both rights are there: the channel was subscribed to before
            if (_channel is not null && feed.Markers.IsOneDueBefore(number))
            {
                throw new RedisFaultException(RedisFaultKind.SubscriptionLost, "markers are published but do not come back: the subscription is gone");
            }
        }
    }

    /// <summary>Uses PING for the rest of this connection, or ends it if others may be there.</summary>
    private void Refused(string command, MarkerChannel channel)
    {
        (_channel, _isRefused) = (null, true);
        var refusal = $"{command} {channel.Name} is refused: grant &{MarkerChannel.PlainName}{(channel.Name == MarkerChannel.PlainName ? "" : "*")} +subscribe +publish; until then";
        if (feed.Options.MayBeAlone)
        {
            feed.Remedies.Set(FeedAspect.Marker, $"{refusal} PING takes its place, and others that send events to the same place send the same ones again");
            return;
        }

        var remedy = $"{refusal} this program takes no part in its group, and delivers nothing";
        feed.Remedies.Set(FeedAspect.Marker, remedy);
        throw new RedisFaultException(RedisFaultKind.Refused, remedy);
    }
}
