using KeyEvt.Forwarder.Feed.Context;
using KeyEvt.Forwarder.Feed.Monitors;
using KeyEvt.Forwarder.Feed.Status;
using KeyEvt.Forwarder.Redis;

namespace KeyEvt.Forwarder.Feed;

/// <summary>Which of a feed's connections counts: whose events are passed on, and whose answers prove the stream to be whole? One of them at most.</summary>
/// <remarks>
/// One a connection. It takes its place when its subscription is confirmed: a free one, or that of a connection which has fallen silent and still says nothing in that very
/// moment. All that decides it is read and changed under <see cref="FeedContext.Turn"/>, which each read loop holds while it handles a read; a read counts as something said
/// from the moment on when its loop waits for the turn.
/// </remarks>
/// <param name="silent">The place that it is to take; null: a free one.</param>
internal sealed class ActiveConnection(FeedContext feed, FeedEnd end, FeedFrameHandler stream, RoleMonitor roles, ActiveConnection? silent)
{
    private static readonly RedisFault NotNeeded = new(RedisFaultKind.Stopped, "the connection before it speaks again, or has ended");

    /// <summary>It has ended, or is not needed: nothing more of it is taken.</summary>
    private bool _isOver;

    /// <summary>Reads of the connection that brought something.</summary>
    public required Func<long> Reads { get; init; }

    /// <summary>Called when a silence begins or ends.</summary>
    public required Action Changed { get; init; }

    public SilenceDetector Silence { get; } = new(feed.Options);

    public bool Counts => stream.Counts && !_isOver;

    /// <summary>The subscription is confirmed: takes the place, and a new position in the stream. Under the turn.</summary>
    /// <returns>False: the connection before it speaks again and goes on, or this one has ended.</returns>
    public bool TryTake(NodeIdentity identity)
    {
        if (_isOver) return false;

        if (silent?.TryGiveWay() == false)
        {
            _isOver = true;
            end.Set(NotNeeded);
            return false;
        }

        feed.Markers.Forget(); // what was due on another connection will not come on this one
        feed.Progress.Begin(identity.RunNumber(feed.Markers.Nonce), feed.Markers.Reserve());
        feed.Flags.Begin(feed.Progress.Position);
        stream.Counts = true;
        roles.Begin();
        return true;
    }

    /// <summary>It is not needed. Any thread.</summary>
    /// <returns>False: it counts already, and goes on.</returns>
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

    /// <summary>The connection is over. Any thread.</summary>
    public void Leave()
    {
        lock (feed.Turn)
        {
            Conclude();
            _isOver = true;
        }
    }

    /// <summary>What waits for an answer behind it waits no longer. Any thread.</summary>
    public void Conclude()
    {
        lock (feed.Turn)
        {
            if (!_isOver) stream.Conclude();
        }
    }

    /// <summary>For each read, under the turn: whether it is to be handled.</summary>
    public bool MayTake()
    {
        if (Silence.IsOn && !_isOver)
        {
            Silence.End();
            feed.Coverage.Speaks();
            Changed();
        }

        return !_isOver;
    }

    /// <summary>Each beat.</summary>
    /// <exception cref="RedisFaultException">It is, and for longer than anybody waits.</exception>
    public bool IsSilent(bool isAnswerDue)
    {
        lock (feed.Turn)
        {
            var begins = Silence.Beat(Reads(), isAnswerDue);
            if (Silence.Lasted >= feed.Options.SilenceLimit) throw new RedisFaultException(FaultWith("and answers no other connection"));

            if (begins)
            {
                // What waits for an answer behind it came from a master as far as it is known: who may take its place has to know of it.
                stream.Conclude();
                feed.Coverage.FellSilent(FaultWith("and another node took its place"), feed.Progress.Position);
                Changed();
            }

            return Silence.IsOn;
        }
    }

    /// <summary>Another connection to the node is subscribed: the gap begins at the last that is proven of this one.</summary>
    /// <returns>False: something has come on this one, or it has ended.</returns>
    private bool TryGiveWay()
    {
        if (_isOver || !Silence.IsUnbroken(Reads())) return false;

        _isOver = true;
        var fault = FaultWith("but answered another connection");
        feed.Board.Change(status => status with { IsInStep = false, LastError = fault.Text, Reconnects = status.Reconnects + 1 });
        feed.Coverage.Lost(fault, feed.Progress.Position);
        end.Set(fault);
        return true;
    }

    private RedisFault FaultWith(string circumstance) =>
        new(RedisFaultKind.Silent, $"the node has sent nothing for {Silence.Lasted.TotalSeconds:0.#} s, though an answer was due, {circumstance}");
}
