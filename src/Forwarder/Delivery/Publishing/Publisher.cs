using System.Runtime.ExceptionServices;
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
/// Which messages are with the broker, and what has it said of them? Publishes from a log within the window, and settles an event when its confirm comes.
/// </summary>
/// <remarks>
/// <para>It never waits. When the library does not take a message at once, the delivery loop looks again when it has, or when its deadline has passed.</para>
/// <para>Until the broker has routed a first message on the link, messages that come back are kept (<see cref="RouteProof"/>).</para>
/// <para>Used by the delivery loop only. Reports read counts and <see cref="MissingKey"/> from other threads, as they are.</para>
/// </remarks>
/// <param name="wake">Wakes the delivery loop when the library has taken a message.</param>
internal sealed class Publisher(DeliveryOptions options, Func<ForwarderConfig> config, BrokerConnectionSupervisor links, Action wake, DeliveryClock clock)
{
    private const int RunLength = 256; // messages between two looks at the broker's answers

    private readonly PublishPacing _pacing = new(options, clock);
    private readonly RouteProof _proof = new(options.StoreUnroutable ? 1 : options.Window);
    private readonly RoutingKeyCutCounter _cuts = new();
    private readonly string _run = options.Random.GetHexString(8, lowercase: true);
    private InFlight _inFlight = new(options.Window);
    private PublisherRoutes? _routes;
    private Task? _publishing;   // the message that the library has not taken yet: nothing else is published meanwhile
    private long _publishingSince;
    private bool _isKept;        // a message was refused or came back, and is to be tried again: first the window has to be empty

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

    /// <summary>Of those that came back: those after the first routed message of their link. Only about these the policy for unroutable events decides.</summary>
    public long ReturnedByPolicy { get; private set; }

    /// <summary>Whether the broker has routed a message on this link.</summary>
    public bool IsRouted => _proof.IsProved;

    /// <summary>The routing key that no queue is bound with, while the broker has routed nothing on this link; else null.</summary>
    public string? MissingKey => _proof.MissingKey;

    public PublisherRoutes Routes => _routes is { } known && ReferenceEquals(known.Of, config()) ? known : _routes = new PublisherRoutes(config(), _cuts);

    /// <summary>Publishes from the log as much as the window allows. True when there may be more to do at once.</summary>
    /// <exception cref="LinkException">The link cannot be used any more.</exception>
    public bool Publish(EventLog source)
    {
        if (_isKept)
        {
            if (_inFlight.Count > 0) return false;

            source.UnclaimAll(); // refused and returned ones are sent again before anything newer
            ForgetKept();
            _pacing.PauseAndBeCautious();
        }

        if (_publishing is not null || _pacing.IsPausing) return false;

        if (!_proof.IsProved)
        {
            if (_inFlight.Count == 0) PublishTrial(source);

            return false;
        }

        var limit = _pacing.Limit;
        var published = 0;
        while (published < RunLength && _inFlight.Count < limit && _inFlight.HasRoom && _inFlight.Bytes < options.WindowBytes && source.TryClaim(out var entry))
        {
            published++;
            if (!PublishOne(source, entry)) return false;
        }

        return published == RunLength;
    }

    /// <summary>Takes in that the library has taken the message, or has failed, or has missed its deadline.</summary>
    /// <exception cref="LinkException">The link cannot be used any more.</exception>
    public void TakeOutcome()
    {
        if (_publishing is { } publishing)
        {
            if (publishing.IsCompletedSuccessfully)
            {
                _publishing = null;
            }
            else if (publishing.IsCompleted)
            {
                throw PublishFailed(publishing.Exception?.InnerException);
            }
            else if (clock.IsPast(_publishingSince, options.PublishDeadline))
            {
                throw new LinkException(LinkFailureKind.Connection, $"the broker took no message for {options.PublishDeadline.TotalSeconds:0} s");
            }
        }
    }

    /// <exception cref="LinkException">A confirm is overdue.</exception>
    public void CheckConfirmDeadline()
    {
        if (_inFlight.OldestPublishedAt is { } published && clock.IsPast(published, options.ConfirmDeadline))
        {
            throw new LinkException(LinkFailureKind.Connection, $"no confirm came within {options.ConfirmDeadline.TotalSeconds:0} s");
        }
    }

    /// <summary>Takes in a confirm, a refusal or a return of the link in use.</summary>
    public void Take(in LinkInbox.LinkEvent answer)
    {
        ConfirmTimes?.Answered();
        switch (answer.Kind)
        {
            case LinkInbox.Kind.Returned:
                if (answer.MessageId is not null) _inFlight.MarkReturned(Encoding.UTF8.GetBytes(answer.MessageId));
                break;
            case LinkInbox.Kind.Confirmed or LinkInbox.Kind.Refused when !answer.Multiple:
                if (_inFlight.TryTake(answer.Tag, out var one)) Answered(one, answer.Kind == LinkInbox.Kind.Refused);
                break;
            case LinkInbox.Kind.Confirmed or LinkInbox.Kind.Refused:
                while (_inFlight.TryTakeUpTo(answer.Tag, out var many)) Answered(many, answer.Kind == LinkInbox.Kind.Refused);
                break;
        }
    }

    /// <summary>A new link is in use. Its delivery tags start at 1, and it has refused and routed nothing yet.</summary>
    public void BeginLink()
    {
        (_inFlight, _isKept) = (new InFlight(options.Window), false);
        _pacing.BeginLink();
        _proof.BeginLink();
    }

    /// <summary>Unconfirmed messages count as not sent. The caller unclaims them in their log.</summary>
    /// <param name="keepPublishing">The link stays in use. The message that its library is still busy with is sent before any other.</param>
    public void Forget(bool keepPublishing)
    {
        _inFlight = new InFlight(options.Window, _inFlight.NextTag);
        ForgetKept();
        if (keepPublishing) return;

        _ = _publishing?.ContinueWith(static t => t.Exception, TaskScheduler.Default); // its failure is observed, and ignored
        _publishing = null;
    }

    /// <summary>
    /// The broker closed the channel because of a message that is too large for it. It does not say which one. If only one was unconfirmed, that one is dropped: tried again, it
    /// would block all behind it for ever. Otherwise messages are sent one at a time for a while, so that it is known at the next close.
    /// </summary>
    public void DropTooLarge()
    {
        if (_inFlight.Count != 1 || !_inFlight.TryTakeUpTo(ulong.MaxValue, out var alone))
        {
            _pacing.SendAlone();
            return;
        }

        alone.Log!.Settle(alone.Sequence, Settlement.TooLarge);
    }

    /// <summary>Tries the oldest event. When it has come back, tries the next one with another routing key; after the last of them the oldest again, after a pause.</summary>
    private void PublishTrial(EventLog source)
    {
        while (_proof.MayLookOn && source.TryClaim(out var entry))
        {
            if (!_proof.IsWorthTrying(RouteOf(entry, out _).KeyOf(entry))) continue;

            PublishOne(source, entry);
            return;
        }

        if (!_proof.HasLooked) return;

        source.UnclaimAll();
        ForgetKept();
        _pacing.Pause();
    }

    /// <summary>What was refused or came back is unclaimed, and is looked at anew.</summary>
    private void ForgetKept()
    {
        _isKept = false;
        _proof.BeginWithOldest();
    }

    /// <summary>False when the library is still busy with the message, and no other may follow at once.</summary>
    private bool PublishOne(EventLog source, in LogEntry entry)
    {
        var route = RouteOf(entry, out var isDeadLetter);
        var messageId = entry.HeadLength != 0 ? entry.MessageId : EventMessageId.OfPlainBody(_run, entry.Sequence);
        var now = clock.Now;
        _inFlight.Add(source, entry, messageId, now, isDeadLetter);
        try
        {
            var call = links.Link!.PublishAsync(entry, route, messageId);
            if (call.IsCompletedSuccessfully) return true;

            (_publishing, _publishingSince) = (call.AsTask(), now);
            _publishing.ConfigureAwait(false).GetAwaiter().UnsafeOnCompleted(wake);
            return false;
        }
        catch (Exception e) when (BrokerErrorText.IsWeather(e))
        {
            throw BrokerErrorText.PublishFailed(e);
        }
    }

    /// <summary>A bug is thrown as it is, and ends the loop.</summary>
    private static Exception PublishFailed(Exception? error)
    {
        if (error is not null && !BrokerErrorText.IsWeather(error)) ExceptionDispatchInfo.Throw(error);

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
            if (!_isKept) _pacing.Succeeded();

            links.ProvedStable();
            if (!slot.IsDeadLetter) ConfirmTimes?.Confirmed(slot.PublishedAt, slot.UnixMilliseconds, slot.MessageId.Span);
            slot.Log!.Settle(slot.Sequence, slot.IsDeadLetter ? Settlement.DeadLettered : Settlement.Confirmed);
            if (!_proof.IsProved) FirstRouted(slot.Log);
        }
    }

    /// <summary>From here on the policy decides about messages that come back. Those that came back before are tried once more, before anything newer.</summary>
    private void FirstRouted(EventLog source)
    {
        _proof.Routed();
        source.UnclaimAll(); // nothing else is unconfirmed: one message at a time was tried
    }

    private void CameBack(in InFlight.Slot slot)
    {
        Returned++;
        if (!_proof.IsProved)
        {
            _proof.CameBack(); // it stays claimed in its log, and the search goes on behind it
            return;
        }

        ReturnedByPolicy++;
        if (options.StoreUnroutable) _isKept = true;
        else slot.Log!.Settle(slot.Sequence, Settlement.Unroutable);
    }
}
