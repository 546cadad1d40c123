namespace KeyEvt.Forwarder.Feed;

/// <summary>How does a marker travel: as a message to our own channel, or, where that is refused, as a PING?</summary>
/// <remarks>
/// One a connection. A message proves the subscription itself; the answer of a PING, in its place in the stream, proves as much about all before it, but
/// not that messages still come. Whether the marker's message comes before or after its PUBLISH's own answer depends on the version; it always comes
/// before the answer of the next one, and if it does not, the subscription is lost.
/// </remarks>
internal sealed class MarkerSender(FeedContext feed, FeedCommands commands)
{
    private const string Remedy = $"grant &{MarkerClock.Channel} +subscribe +publish; until then PING takes its place";

    private long _sent;
    private volatile bool _isPing = feed.Options.UsesPing;

    public long Sent => Volatile.Read(ref _sent);

    /// <summary>Subscribes to the channel; the connection's first place in the stream is known from the answer on.</summary>
    public async Task SubscribeAsync(ulong runNumber)
    {
        if (_isPing)
        {
            await BeginByPingAsync(runNumber).ConfigureAwait(false);
            return;
        }

        var answered = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        commands.SendSubscription(
            (reply, _) =>
            {
                if (FeedErrors.IsPassing(reply))
                    throw new FeedFaultException(FeedFaultKind.ConnectFailed, $"the node is not ready yet: {FeedText.Clean(reply.Text)}");

                _isPing = reply.IsError;
                feed.Remedies.Set(FeedAspect.Marker, reply.IsError ? $"SUBSCRIBE {MarkerClock.Channel} is refused: {Remedy}" : null);
                feed.Progress.Begin(runNumber, feed.Markers.Reserve());
                feed.Flags.Begin(feed.Progress.Position);
                answered.TrySetResult();
            },
            "SUBSCRIBE",
            MarkerClock.Channel);
        await answered.Task.ConfigureAwait(false);
    }

    private async Task BeginByPingAsync(ulong runNumber)
    {
        var answered = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        commands.Send(
            (_, _) =>
            {
                feed.Progress.Begin(runNumber, feed.Markers.Reserve());
                feed.Flags.Begin(feed.Progress.Position);
                answered.TrySetResult();
            },
            "PING");
        await answered.Task.ConfigureAwait(false);
    }

    public void Send()
    {
        Volatile.Write(ref _sent, _sent + 1);
        long number = feed.Markers.Next(Moment.Now(feed.Time));
        if (_isPing)
            commands.Send((reply, _) => OnPong(reply, number), "PING");
        else
            commands.Send((reply, _) => OnPublished(reply, number), "PUBLISH", MarkerClock.Channel, feed.Markers.PayloadOf(number));
    }

    private void OnPong(FeedReply reply, long number)
    {
        feed.Markers.TrySettle(number, out _);
        if (!reply.IsError)
            feed.Progress.Mark(number);
    }

    private void OnPublished(FeedReply reply, long number)
    {
        if (reply.IsError)
        {
            feed.Markers.TrySettle(number, out _);
            if (!FeedErrors.IsPassing(reply))
            {
                _isPing = true;
                feed.Remedies.Set(FeedAspect.Marker, $"PUBLISH {MarkerClock.Channel} is refused: {Remedy}");
            }
        }
        else if (feed.Markers.IsOneDueBefore(number))
        {
            throw new FeedFaultException(FeedFaultKind.SubscriptionLost, "markers are published but do not come back: the subscription is gone");
        }
    }
}
