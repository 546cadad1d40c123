using System.IO.Pipelines;
using KeyEvt.Forwarder.Events;
using KeyEvt.Forwarder.Feed.Context;
using KeyEvt.Forwarder.Feed.Status;
using KeyEvt.Forwarder.Redis;
using KeyEvt.Forwarder.Signals;

namespace KeyEvt.Forwarder.Feed;

/// <summary>
/// A connection has fallen silent: is the node busy, or is only this connection dead? A second connection to the same node finds out, and may replace
/// it.
/// </summary>
/// <remarks>
/// <list type="bullet">
/// <item>The second one gets no answer either (a long script, a frozen process, a broken network): the first one is kept, and a second one is tried
/// again a while later. What the node sends when it is back comes on the first one, and nothing is lost.</item>
/// <item>The node answers the second one, and the first one still says nothing for a short while: the second one subscribes, and replaces the first
/// at that moment.</item>
/// <item>Something comes on the first one at any time before that: the second one is closed, and the first goes on as if nothing had happened.</item>
/// </list>
/// Only a successful answer to HELLO is a proof. A node in a long script refuses HELLO. It also refuses commands on the first connection, which is
/// then not silent.
/// </remarks>
/// <param name="connect">Opens a pipe, or returns why it could not.</param>
internal sealed class SilentConnectionCheck(FeedContext feed, Func<EventClass> wanted, LogRateLimiter warnings, Func<CancellationToken, Task<(IDuplexPipe? Pipe, RedisFault Fault)>> connect)
{
    /// <param name="ends">Completes when the silent connection has ended.</param>
    /// <returns>The connection that has replaced the silent one, and its running task; null if the silent one speaks again or has ended.</returns>
    public async Task<(FeedConnection Connection, Task<RedisFault> Life)?> FindAsync(FeedConnection silent, Task ends, CancellationToken stop)
    {
        if (warnings.MayWarn(2016)) FeedLog.FellSilent(feed.Logger, feed.Node, feed.Options.MarkerDeadline.TotalSeconds);
        var began = feed.Time.GetTimestamp();
        var speaks = silent.Silence.Ended;
        var over = Task.WhenAny(speaks, ends);
        using var giveUp = CancellationTokenSource.CreateLinkedTokenSource(stop);
        while (!over.IsCompleted && !stop.IsCancellationRequested)
        {
            if (await TryAsync(silent, over, giveUp, stop).ConfigureAwait(false) is { } found) return found;

            await Task.WhenAny(over, Task.Delay(feed.Options.WitnessInterval, feed.Time, giveUp.Token)).ConfigureAwait(false);
        }

        await giveUp.CancelAsync().ConfigureAwait(false); // ends the timer
        if (speaks.IsCompleted)
        {
            FeedLog.Speaks(feed.Logger, feed.Node, (feed.Options.MarkerDeadline + feed.Time.GetElapsedTime(began)).TotalSeconds);
        }

        return null;
    }

    private async Task<(FeedConnection, Task<RedisFault>)?> TryAsync(FeedConnection silent, Task over, CancellationTokenSource giveUp, CancellationToken stop)
    {
        var connecting = connect(giveUp.Token);
        if (await Task.WhenAny(connecting, over).ConfigureAwait(false) == over) await giveUp.CancelAsync().ConfigureAwait(false);
        var (pipe, fault) = await connecting.ConfigureAwait(false);
        if (pipe is not null)
        {
            var second = new FeedConnection(feed, pipe, wanted, silent);
            var life = second.RunAsync(stop);
            await Task.WhenAny(life, second.Subscribed, over).ConfigureAwait(false);
            if (!second.TryWithdraw()) return (second, life);

            fault = await life.ConfigureAwait(false);
        }

        if (fault.Kind != RedisFaultKind.Stopped && warnings.MayWarn(2018)) FeedLog.NoWitness(feed.Logger, feed.Node, fault.Text);
        return null;
    }
}
