using KeyEvt.Forwarder.Feed.Context;

namespace KeyEvt.Forwarder.Feed;

/// <summary>What has a feed to do before it may end, so that nothing of what it has read is lost? Each step has a deadline.</summary>
internal sealed class FeedEnding(FeedContext feed, FeedSupervisor life)
{
    /// <summary>
    /// For the end of the program, while it still publishes gaps: if another node has taken this one's place and it has not answered since, declares what it took until then.
    /// </summary>
    public void DeclareUnproven() => feed.Coverage.DeclareUnproven(feed.Progress.Published.Position);

    /// <summary>
    /// For the end of the program: passes on or declares everything that still waits for an answer or is being examined, while somebody can still
    /// receive it. The connection stays open.
    /// </summary>
    public async Task ConcludeAsync()
    {
        await feed.Tasks.EndAsync().ConfigureAwait(false);
        life.Current?.Conclude();
        DeclareUnproven();
    }

    /// <summary>
    /// Stores the state of the stream as of the last <see cref="NodeFeed.CatchUpAsync"/>, once all of it is settled. Returns when that is done, or after the
    /// deadline.
    /// </summary>
    public async Task KeepStateAsync(TimeSpan deadline)
    {
        try
        {
            if (life.Current is { SubscribedAt: not null } connection)
            {
                await connection.KeepStateAsync().WaitAsync(deadline, feed.Time).ConfigureAwait(false);
            }
        }
        catch (TimeoutException)
        {
            // The older state stays in the node, so the gap before the next run begins earlier.
        }
    }

    /// <summary>Lets another member deliver from now on. Returns when that is heard in the stream, or after the deadline.</summary>
    public async Task ResignAsync(TimeSpan deadline)
    {
        try
        {
            if (life.Current is { SubscribedAt: not null } connection)
            {
                await connection.ResignAsync().WaitAsync(deadline, feed.Time).ConfigureAwait(false);
            }
        }
        catch (TimeoutException)
        {
            // The others notice soon that nothing more comes from this program.
        }
    }

    /// <summary>Waits until the feed has decided about all its last events, but at most for the deadline.</summary>
    public Task SettledAsync(TimeSpan deadline, CancellationToken cancellationToken) => Task.WhenAny(
        feed.Tasks.SettledAsync(), Task.Delay(deadline, feed.Time, cancellationToken));
}
