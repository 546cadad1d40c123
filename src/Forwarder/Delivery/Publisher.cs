using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using KeyEvt.Forwarder.Amqp;
using KeyEvt.Forwarder.Outbox;
using Microsoft.Extensions.Logging;

namespace KeyEvt.Forwarder.Delivery;

/// <summary>
/// Which messages are with the broker, and what has it said of them? Publishes from a log within the window, and settles an event when
/// its confirm comes. It never waits: a publish that the library does not end at once is looked at again when it has, or when its
/// deadline has passed. Used by the delivery loop only, which decides from which log, and is told here when the link has to be given up.
/// </summary>
internal sealed class Publisher(DeliveryOptions options, Func<ForwarderConfig> config, LinkKeeper links, Ledger ledger, Action wake, WarningGate warnings, DeliveryClock clock, ILogger logger)
{
    private const int RunLength = 256; // messages between two looks at the broker's answers

    /// <summary>Since the last refusal. A full queue that is emptied slowly refuses some and takes the next: with one at a time none overtakes a refused one.</summary>
    private static readonly TimeSpan CautiousFor = TimeSpan.FromSeconds(10);

    private readonly Backoff _holdBackoff = new(TimeSpan.FromMilliseconds(100), TimeSpan.FromSeconds(5), Random.Shared);
    private readonly RoutingKeyCuts _cuts = new();
    private readonly string _run = RandomNumberGenerator.GetHexString(8, lowercase: true);
    private InFlight _inFlight = new(options.Window);
    private PublisherRoutes? _routes;
    private Task? _publishing;   // the broker library has not yet taken this message: nothing else is published
    private long _publishingSince;
    private bool _isRefused;     // a nack came: nothing is published until the window is empty
    private long _holdUntil;     // after a nack: no publish before this timestamp
    private long _cautiousUntil; // after a nack: one at a time until this timestamp
    private long _aloneUntil;    // a message was too large: one at a time until this timestamp, so that the next close names it
    private long _seenCuts;

    /// <summary>Published and not yet answered.</summary>
    public int Unconfirmed => _inFlight.Count;

    /// <summary>Nacks so far.</summary>
    public long Refused { get; private set; }

    /// <summary>Unroutable messages that came back so far.</summary>
    public long Returned { get; private set; }

    /// <summary>Routing keys cut at AMQP's 255 bytes.</summary>
    public long RoutingKeysCut => _cuts.Count;

    private PublisherRoutes Routes => _routes is { } known && ReferenceEquals(known.Of, config()) ? known : _routes = new PublisherRoutes(config(), _cuts);

    /// <summary>Publishes from the log as much as may go now. True when there may be more to do at once.</summary>
    /// <exception cref="LinkException">The link cannot be used any more.</exception>
    public bool Publish(EventLog source)
    {
        if (_isRefused)
        {
            if (_inFlight.Count > 0)
                return false;

            source.UnclaimAll(); // the refused ones go in front of everything that was not sent
            Hold();
        }

        if (_publishing is not null || !clock.IsPast(_holdUntil))
            return false;

        var isCautious = !clock.IsPast(_cautiousUntil) && options.MaxAttempts == 0; // what is sent on as failed has no order to keep
        var limit = isCautious || !clock.IsPast(_aloneUntil) ? 1 : int.MaxValue;
        var published = 0;
        while (published < RunLength && _inFlight.Count < limit && _inFlight.HasRoom && _inFlight.Bytes < options.WindowBytes && source.TryClaim(out var entry))
        {
            published++;
            if (!PublishOne(source, entry))
                return false;
        }

        return published == RunLength;
    }

    /// <summary>Takes in that the library has taken the message or has failed, and looks at the deadlines.</summary>
    /// <exception cref="LinkException">The link cannot be used any more.</exception>
    public void TakeOutcome()
    {
        if (_publishing is { } publishing)
        {
            if (publishing.IsCompletedSuccessfully)
                _publishing = null;
            else if (publishing.IsCompleted)
                throw BrokerWords.PublishFailed(publishing.Exception?.InnerException);
            else if (clock.IsPast(_publishingSince, options.PublishDeadline))
                throw new LinkException(LinkFailureKind.Connection, $"the broker took no message for {options.PublishDeadline.TotalSeconds:0} s");
        }

        if (_cuts.Count is var cut && cut != _seenCuts && warnings.MayWarn(2115))
        {
            _seenCuts = cut;
            DeliveryLog.RoutingKeyCut(logger, Routes.Events.RoutingKey, cut);
        }
    }

    /// <exception cref="LinkException">A confirm is overdue.</exception>
    public void CheckConfirmDeadline()
    {
        if (_inFlight.OldestPublishedAt is { } published && clock.IsPast(published, options.ConfirmDeadline))
            throw new LinkException(LinkFailureKind.Connection, $"no confirm came within {options.ConfirmDeadline.TotalSeconds:0} s");
    }

    /// <summary>Takes a confirm, a refusal or a return of the link in use in.</summary>
    public void Take(in LinkInbox.LinkEvent answer)
    {
        switch (answer.Kind)
        {
            case LinkInbox.Kind.Returned:
                if (answer.MessageId is not null)
                    _inFlight.MarkReturned(Encoding.UTF8.GetBytes(answer.MessageId));
                break;
            case LinkInbox.Kind.Confirmed or LinkInbox.Kind.Refused when !answer.Multiple:
                if (_inFlight.TryTake(answer.Tag, out var one))
                    Answered(one, answer.Kind == LinkInbox.Kind.Refused);
                break;
            case LinkInbox.Kind.Confirmed or LinkInbox.Kind.Refused:
                while (_inFlight.TryTakeUpTo(answer.Tag, out var many))
                    Answered(many, answer.Kind == LinkInbox.Kind.Refused);
                break;
        }
    }

    /// <summary>A new link has come: its delivery tags begin at 1, and it has refused nothing.</summary>
    public void BeginLink() => (_inFlight, _isRefused, _holdUntil) = (new InFlight(options.Window), false, 0);

    /// <summary>What is unconfirmed counts as unsent; the caller has put it back in front.</summary>
    /// <param name="keepPublishing">The link stays in use, and the message that its library is busy with still comes before any other.</param>
    public void Forget(bool keepPublishing)
    {
        _inFlight = new InFlight(options.Window, _inFlight.NextTag);
        _isRefused = false;
        if (keepPublishing)
            return;

        _ = _publishing?.ContinueWith(static t => t.Exception, TaskScheduler.Default); // however late it ends, it concerns nobody any more
        _publishing = null;
    }

    /// <summary>
    /// The broker closed the channel over a message too large for it, and does not say which. Alone with the broker it is known, and dropped: tried again it
    /// would stand in the way of all behind it for ever. Among others: the next ones go one at a time.
    /// </summary>
    public void DropTooLarge()
    {
        if (_inFlight.Count != 1 || !_inFlight.TryTakeUpTo(ulong.MaxValue, out var alone))
        {
            _aloneUntil = clock.After(CautiousFor);
            return;
        }

        alone.Log!.Settle(alone.Sequence, Settlement.TooLarge);
        if (warnings.MayWarn(2116))
            DeliveryLog.TooLarge(logger, ledger.Dropped(DropReason.TooLarge));
    }

    private void Hold()
    {
        _isRefused = false;
        var delay = _holdBackoff.Next();
        _holdUntil = clock.After(delay);
        _cautiousUntil = clock.After(delay + CautiousFor);
        if (warnings.MayWarn(2106))
            DeliveryLog.Refused(logger, Refused, (int)delay.TotalMilliseconds);
    }

    /// <summary>False when no other may follow at once: the library is still busy with it.</summary>
    private bool PublishOne(EventLog source, in LogEntry entry)
    {
        var isDeadLetter = options.MaxAttempts > 0 && entry.Attempts >= options.MaxAttempts;
        var messageId = entry.IdLength > 0 ? entry.MessageId : IdForPlainBody(entry.Sequence);
        var now = clock.Now;
        _inFlight.Add(source, entry, messageId, now, isDeadLetter);
        try
        {
            var route = isDeadLetter ? Routes.Failed : GapPublisher.IsGap(messageId.Span) ? Routes.Gaps : Routes.Events;
            var call = links.Link!.PublishAsync(entry, route, messageId);
            if (call.IsCompletedSuccessfully)
                return true;

            (_publishing, _publishingSince) = (call.AsTask(), now);
            _publishing.ConfigureAwait(false).GetAwaiter().UnsafeOnCompleted(wake);
            return false;
        }
        catch (Exception e)
        {
            throw BrokerWords.PublishFailed(e);
        }
    }

    private void Answered(in InFlight.Slot slot, bool refused)
    {
        if (refused)
        {
            Refused++;
            slot.Log!.CountAttempt(slot.Sequence);
            _isRefused = true;
        }
        else if (slot.IsReturned)
        {
            CameBack(slot);
        }
        else
        {
            if (!_isRefused)
                _holdBackoff.Reset();

            links.ProvedStable();
            slot.Log!.Settle(slot.Sequence, slot.IsDeadLetter ? Settlement.DeadLettered : Settlement.Confirmed);
            if (slot.IsDeadLetter && warnings.MayWarn(2114))
                DeliveryLog.DeadLettered(logger, ledger.Dropped(DropReason.DeadLettered), options.MaxAttempts, Routes.Failed.RoutingKey);
        }
    }

    private void CameBack(in InFlight.Slot slot)
    {
        Returned++;
        if (warnings.MayWarn(2105))
            DeliveryLog.Unroutable(logger, Routes.Events.Exchange, Routes.Events.RoutingKey, Returned, options.StoreUnroutable ? "kept and tried again" : "dropped and counted");

        if (options.StoreUnroutable)
            _isRefused = true;
        else
            slot.Log!.Settle(slot.Sequence, Settlement.Unroutable);
    }

    /// <summary>Of a plain body the place in what this run reads is all there is to tell it from others; a retry has the same.</summary>
    private ReadOnlyMemory<byte> IdForPlainBody(long sequence) =>
        Encoding.ASCII.GetBytes(string.Create(CultureInfo.InvariantCulture, $"adopted-{_run}-{sequence}"));
}
