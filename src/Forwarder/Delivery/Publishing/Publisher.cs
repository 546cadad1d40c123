using System.Globalization;
using System.Runtime.ExceptionServices;
using System.Security.Cryptography;
using System.Text;
using KeyEvt.Forwarder.Amqp;
using KeyEvt.Forwarder.Amqp.Messages;
using KeyEvt.Forwarder.Config;
using KeyEvt.Forwarder.Delivery.Link;
using KeyEvt.Forwarder.Events;
using KeyEvt.Forwarder.Outbox;
using KeyEvt.Forwarder.Signals;

namespace KeyEvt.Forwarder.Delivery.Publishing;

/// <summary>
/// Which messages are with the broker, and what has it said of them? Publishes from a log within the window, and settles an event when
/// its confirm comes. It never waits: a publish that the library does not end at once is looked at again when it has, or when its
/// deadline has passed. Until the broker has routed a first message on the link, what comes back is kept (<see cref="RouteProof"/>). Used by the delivery loop
/// only, which decides from which log, and is told here when the link has to be given up.
/// </summary>
internal sealed class Publisher(DeliveryOptions options, Func<ForwarderConfig> config, BrokerConnectionSupervisor links, Action wake, DeliveryClock clock)
{
    private const int RunLength = 256; // messages between two looks at the broker's answers

    /// <summary>Since the last refusal. A full queue that is emptied slowly refuses some and takes the next: with one at a time none overtakes a refused one.</summary>
    private static readonly TimeSpan CautiousFor = TimeSpan.FromSeconds(10);

    private readonly Backoff _holdBackoff = new(TimeSpan.FromMilliseconds(100), TimeSpan.FromSeconds(5), Random.Shared);
    private readonly RouteProof _proof = new(options.StoreUnroutable ? 1 : options.Window);
    private readonly RoutingKeyCuts _cuts = new();
    private readonly string _run = RandomNumberGenerator.GetHexString(8, lowercase: true);
    private InFlight _inFlight = new(options.Window);
    private PublisherRoutes? _routes;
    private Task? _publishing;   // the broker library has not yet taken this message: nothing else is published
    private long _publishingSince;
    private bool _isKept;        // one was refused or came back and is to be tried again: nothing is published until the window is empty
    private long _holdUntil;     // after that: no publish before this timestamp
    private long _cautiousUntil; // and one at a time until this timestamp
    private long _aloneUntil;    // a message was too large: one at a time until this timestamp, so that the next close names it

    /// <summary>Told of each confirmed event; null: nobody measures. Set before the first publish.</summary>
    public ConfirmTimes? ConfirmTimes { get; set; }

    /// <summary>Published and not yet answered.</summary>
    public int Unconfirmed => _inFlight.Count;

    /// <summary>Nacks so far.</summary>
    public long Refused { get; private set; }

    /// <summary>Unroutable messages that came back so far.</summary>
    public long Returned { get; private set; }

    /// <summary>Routing keys cut at AMQP's 255 bytes.</summary>
    public long RoutingKeysCut => _cuts.Count;

    /// <summary>Of those, since something had been routed on their link: what the policy decides about.</summary>
    public long ReturnedByPolicy { get; private set; }

    /// <summary>Whether the broker has routed a message on this link.</summary>
    public bool IsRouted => _proof.IsProved;

    /// <summary>The routing key that no queue is bound with, while the broker has routed nothing on this link; else null.</summary>
    public string? MissingKey => _proof.MissingKey;

    public PublisherRoutes Routes => _routes is { } known && ReferenceEquals(known.Of, config()) ? known : _routes = new PublisherRoutes(config(), _cuts);

    /// <summary>Publishes from the log as much as may go now. True when there may be more to do at once.</summary>
    /// <exception cref="LinkException">The link cannot be used any more.</exception>
    public bool Publish(EventLog source)
    {
        if (_isKept)
        {
            if (_inFlight.Count > 0)
                return false;

            source.UnclaimAll(); // the kept ones go in front of everything that was not sent
            Hold();
            _cautiousUntil = _holdUntil + clock.Ticks(CautiousFor);
        }

        if (_publishing is not null || !clock.IsPast(_holdUntil))
            return false;

        if (!_proof.IsProved)
        {
            if (_inFlight.Count == 0)
                PublishTrial(source);

            return false;
        }

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
                throw PublishFailed(publishing.Exception?.InnerException);
            else if (clock.IsPast(_publishingSince, options.PublishDeadline))
                throw new LinkException(LinkFailureKind.Connection, $"the broker took no message for {options.PublishDeadline.TotalSeconds:0} s");
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
        ConfirmTimes?.Answered();
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

    /// <summary>A new link has come: its delivery tags begin at 1, and it has refused and routed nothing.</summary>
    public void BeginLink()
    {
        (_inFlight, _isKept, _holdUntil) = (new InFlight(options.Window), false, 0);
        _proof.BeginLink();
    }

    /// <summary>What is unconfirmed counts as unsent; the caller has put it back in front.</summary>
    /// <param name="keepPublishing">The link stays in use, and the message that its library is busy with still comes before any other.</param>
    public void Forget(bool keepPublishing)
    {
        _inFlight = new InFlight(options.Window, _inFlight.NextTag);
        _isKept = false;
        _proof.BeginWithOldest();
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
    }

    /// <summary>The oldest, and when it has come back the next one with another routing key; at the end of those the oldest again, after a while.</summary>
    private void PublishTrial(EventLog source)
    {
        while (_proof.MayLookOn && source.TryClaim(out var entry))
        {
            if (!_proof.IsWorthTrying(RouteOf(entry, out _).KeyOf(entry)))
                continue;

            PublishOne(source, entry);
            return;
        }

        if (!_proof.HasLooked)
            return;

        source.UnclaimAll();
        Hold();
    }

    private void Hold()
    {
        _isKept = false;
        _proof.BeginWithOldest();
        _holdUntil = clock.After(_holdBackoff.Next());
    }

    /// <summary>False when no other may follow at once: the library is still busy with it.</summary>
    private bool PublishOne(EventLog source, in LogEntry entry)
    {
        var route = RouteOf(entry, out var isDeadLetter);
        var messageId = entry.HeadLength > 0 ? entry.MessageId : IdForPlainBody(entry.Sequence);
        var now = clock.Now;
        _inFlight.Add(source, entry, messageId, now, isDeadLetter);
        try
        {
            var call = links.Link!.PublishAsync(entry, route, messageId);
            if (call.IsCompletedSuccessfully)
                return true;

            (_publishing, _publishingSince) = (call.AsTask(), now);
            _publishing.ConfigureAwait(false).GetAwaiter().UnsafeOnCompleted(wake);
            return false;
        }
        catch (Exception e) when (BrokerErrorText.IsWeather(e))
        {
            throw BrokerErrorText.PublishFailed(e);
        }
    }

    /// <summary>A fault in the program stays what it is, and ends the loop.</summary>
    private static Exception PublishFailed(Exception? error)
    {
        if (error is not null && !BrokerErrorText.IsWeather(error))
            ExceptionDispatchInfo.Throw(error);

        return BrokerErrorText.PublishFailed(error);
    }

    private MessageRoute RouteOf(in LogEntry entry, out bool isDeadLetter)
    {
        isDeadLetter = options.MaxAttempts > 0 && entry.Attempts >= options.MaxAttempts;
        return isDeadLetter ? Routes.Failed : GapMessageId.Is(entry.MessageId.Span) ? Routes.Gaps : Routes.Events;
    }

    private void Answered(in InFlight.Slot slot, bool refused)
    {
        if (refused)
        {
            Refused++;
            slot.Log!.CountAttempt(slot.Sequence);
            _isKept = true;
        }
        else if (slot.IsReturned)
        {
            CameBack(slot);
        }
        else
        {
            if (!_isKept)
                _holdBackoff.Reset();

            links.ProvedStable();
            if (!slot.IsDeadLetter)
                ConfirmTimes?.Confirmed(slot.PublishedAt, slot.UnixMilliseconds, slot.MessageId.Span);
            slot.Log!.Settle(slot.Sequence, slot.IsDeadLetter ? Settlement.DeadLettered : Settlement.Confirmed);
            if (!_proof.IsProved)
                FirstRouted(slot.Log);
        }
    }

    /// <summary>From here on the policy applies to what comes back; what has come back is tried once more, before anything newer.</summary>
    private void FirstRouted(EventLog source)
    {
        _proof.Routed();
        source.UnclaimAll(); // nothing else is with the broker
    }

    private void CameBack(in InFlight.Slot slot)
    {
        Returned++;
        if (!_proof.IsProved)
        {
            _proof.CameBack(); // it stays in its log, and claimed: the next one is looked for behind it
            return;
        }

        ReturnedByPolicy++;
        if (options.StoreUnroutable)
            _isKept = true;
        else
            slot.Log!.Settle(slot.Sequence, Settlement.Unroutable);
    }

    /// <summary>Of a plain body the place in what this run reads is all there is to tell it from others; a retry has the same.</summary>
    private ReadOnlyMemory<byte> IdForPlainBody(long sequence) =>
        Encoding.ASCII.GetBytes(string.Create(CultureInfo.InvariantCulture, $"adopted-{_run}-{sequence}"));
}
