using KeyEvt.Forwarder.Feed.Context;
using KeyEvt.Forwarder.Feed.Monitors;
using KeyEvt.Forwarder.Feed.Status;
using KeyEvt.Forwarder.Redis;

namespace KeyEvt.Forwarder.Feed;

/// <summary>
/// Which of a feed's connections is the active one, whose events are passed on, and whose answers prove that the stream is whole? At most one is.
/// </summary>
/// <remarks>
/// Each connection has one instance. A connection becomes active when its subscription is confirmed. It takes a free place, or replaces a connection
/// that is silent and still says nothing at that moment. Everything that decides this is read and changed under the lock
/// <see cref="FeedContext.Turn"/>. Each read loop holds that lock while it handles a read, and a read counts as received as soon as its loop waits
/// for the lock.
/// </remarks>
/// <param name="silent">The silent connection that this one is to replace; null if it takes a free place.</param>
internal sealed class ActiveConnection(FeedContext feed, FeedEnd end, FeedFrameHandler stream, RoleMonitor roles, ActiveConnection? silent)
{
    private static readonly RedisFault NotNeeded = new(RedisFaultKind.Stopped, "the connection before it speaks again, or has ended");

    /// <summary>Set when the connection has ended or is not needed: nothing more of it is handled. Under <see cref="FeedContext.Turn"/>.</summary>
    private bool _isOver;

    /// <summary>Number of reads that have received something.</summary>
    public required Func<long> Reads { get; init; }

    /// <summary>Called when a silence begins or ends.</summary>
    public required Action Changed { get; init; }

    public SilenceDetector Silence { get; } = new(feed.Options);

    public bool Counts => stream.Counts && !_isOver;

    /// <summary>Called when the subscription is confirmed, under the lock: becomes active, and gets a new position in the stream.</summary>
    /// <returns>False if the connection before it speaks again and stays active, or if this one has ended.</returns>
    public bool TryTake(NodeIdentity identity)
    {
        if (_isOver) return false;

        if (silent?.TryGiveWay() == false)
        {
            _isOver = true;
            end.Set(NotNeeded);
            return false;
        }

        feed.Group.End(out _);
        feed.Markers.Forget(); // markers that are due on another connection will not come back on this one
        feed.Progress.Begin(feed.RunNumberOf(identity), feed.Markers.Reserve());
        feed.Flags.Begin(feed.Progress.Position);
        stream.Counts = true;
        roles.Begin();
        return true;
    }

    /// <summary>Ends the connection because it is not needed. Any thread.</summary>
    /// <returns>False if it is active already; then it goes on.</returns>
    public bool TryWithdraw()
    {
        lock (feed.Turn)
        {
            if (stream.Counts) return false;
            _isOver = true;
        }

        end.Set(NotNeeded);
        return true;
    }

    /// <summary>Called when the connection has ended. Any thread.</summary>
    public void Leave()
    {
        lock (feed.Turn)
        {
            Conclude();
            _isOver = true;
        }
    }

    /// <summary>Passes on what waits for an answer that would come behind it. Any thread.</summary>
    public void Conclude()
    {
        lock (feed.Turn)
        {
            if (!_isOver) stream.Conclude();
        }
    }

    /// <summary>Called for each read, under the lock. Returns whether the read is to be handled.</summary>
    public bool MayTake()
    {
        if (Silence.IsOn && !_isOver)
        {
            Silence.End();
            feed.Coverage.Silence(null);
            Changed();
        }

        return !_isOver;
    }

    /// <summary>Called at each beat. Returns whether the connection is silent.</summary>
    /// <exception cref="RedisFaultException">It has been silent for longer than <see cref="NodeFeedOptions.SilenceLimit"/>.</exception>
    public bool IsSilent(bool isAnswerDue)
    {
        lock (feed.Turn)
        {
            var begins = Silence.Beat(Reads(), isAnswerDue);
            if (Silence.Lasted >= feed.Options.SilenceLimit) throw new RedisFaultException(FaultWith("and answers no other connection"));

            if (begins)
            {
                // What waits for an answer came from a master, as far as is known. It is passed on, so that a successor can compare with it.
                stream.Conclude();
                feed.Coverage.Silence((FaultWith("and another node took its place"), feed.Progress.Position));
                Changed();
            }

            return Silence.IsOn;
        }
    }

    /// <summary>Called when another connection to the node is subscribed. Ends this one; the gap begins at its last proven position.</summary>
    /// <returns>False if something has come on this connection, or it has ended.</returns>
    private bool TryGiveWay()
    {
        if (_isOver || !Silence.IsUnbroken(Reads())) return false;

        _isOver = true;
        var fault = FaultWith("but answered another connection");
        feed.Board.Change(status => status with { IsInStep = false, LastError = fault.Text, Reconnects = status.Reconnects + 1 });
        feed.Coverage.Lost(fault, feed.Progress.Position, feed.Group.CanOthersGoOn);
        end.Set(fault);
        return true;
    }

    private RedisFault FaultWith(string circumstance) =>
        new(RedisFaultKind.Silent, $"the node has sent nothing for {Silence.Lasted.TotalSeconds:0.#} s, though an answer was due, {circumstance}");
}
