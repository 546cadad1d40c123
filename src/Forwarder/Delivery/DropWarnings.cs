using KeyEvt.Forwarder.Config;
using KeyEvt.Forwarder.Delivery.Publishing;
using KeyEvt.Forwarder.Outbox;
using KeyEvt.Forwarder.Signals;
using Microsoft.Extensions.Logging;

namespace KeyEvt.Forwarder.Delivery;

/// <summary>What has to be logged about events that did not reach a queue, and about events found in the storage? Sums, now and then; the last one logged is always the present one.</summary>
/// <remarks>Used by the delivery loop only.</remarks>
internal sealed class DropWarnings(Ledger ledger, DeliveryOptions options, Publisher publisher, LogRateLimiter warnings, LogRateLimiter reminders, DeliveryClock clock, ILogger logger)
{
    private static readonly TimeSpan LookEvery = TimeSpan.FromMilliseconds(100);

    private readonly CounterLogLimiter _returned = new(warnings, 2105);
    private readonly CounterLogLimiter _refused = new(warnings, 2106);
    private readonly CounterLogLimiter _memoryFull = new(warnings, 2107);
    private readonly CounterLogLimiter _atCap = new(warnings, 2110);
    private readonly CounterLogLimiter _storeLost = new(warnings, 2109);
    private readonly CounterLogLimiter _adopted = new(warnings, 2111);
    private readonly CounterLogLimiter _deadLettered = new(warnings, 2114);
    private readonly CounterLogLimiter _keysCut = new(warnings, 2115);
    private readonly CounterLogLimiter _tooLarge = new(warnings, 2116);
    private bool _isQueueMissing;
    private long _notBefore;

    /// <summary>Compares the sums with those logged last, ten times a second at most.</summary>
    public void WarnIfDue()
    {
        if (!clock.IsPast(_notBefore)) return;

        _notBefore = clock.After(LookEvery);
        Warn();
    }

    private void Warn()
    {
        WarnOfMissingQueue();
        if (_memoryFull.IsToBeSaid(ledger.Dropped(DropReason.MemoryFull)))
        {
            DeliveryLog.MemoryFull(logger, options.BufferBytes, ledger.Dropped(DropReason.MemoryFull));
        }

        if (_atCap.IsToBeSaid(ledger.Dropped(DropReason.FallbackCap)))
        {
            DeliveryLog.StoreCapped(logger, ledger.Dropped(DropReason.FallbackCap));
        }

        if (_storeLost.IsToBeSaid(ledger.Dropped(DropReason.FallbackLost)))
        {
            DeliveryLog.StoreLost(logger, ledger.Dropped(DropReason.FallbackLost));
        }

        if (_adopted.IsToBeSaid(ledger.AdoptedSoFar)) DeliveryLog.StoreAdopted(logger, ledger.AdoptedSoFar);

        if (_tooLarge.IsToBeSaid(ledger.Dropped(DropReason.TooLarge))) DeliveryLog.TooLarge(logger, ledger.Dropped(DropReason.TooLarge));

        if (_refused.IsToBeSaid(publisher.Refused)) DeliveryLog.Refused(logger, publisher.Refused);

        if (_deadLettered.IsToBeSaid(ledger.Dropped(DropReason.DeadLettered)))
        {
            DeliveryLog.DeadLettered(logger, ledger.Dropped(DropReason.DeadLettered), options.MaxAttempts, publisher.Routes.Failed.RoutingKey);
        }

        if (_keysCut.IsToBeSaid(publisher.RoutingKeysCut))
        {
            DeliveryLog.RoutingKeyCut(logger, publisher.Routes.Events.RoutingKey, publisher.RoutingKeysCut);
        }
    }

    /// <summary>While no message was routed at all, the missing queue is logged. After that, what the policy does with messages that come back.</summary>
    private void WarnOfMissingQueue()
    {
        var events = publisher.Routes.Events;
        if (publisher.MissingKey is { } key)
        {
            _isQueueMissing = true;
            if (reminders.MayWarn(2119)) DeliveryLog.QueueMissing(logger, events.Exchange, key, Waiting);
        }
        else if (_isQueueMissing && publisher.IsRouted)
        {
            _isQueueMissing = false;
            DeliveryLog.QueueFound(logger, events.Exchange, Waiting);
        }

        var returned = options.StoreUnroutable ? publisher.ReturnedByPolicy : ledger.Dropped(DropReason.Unroutable);
        if (_returned.IsToBeSaid(returned))
        {
            DeliveryLog.Unroutable(logger, events.Exchange, events.RoutingKey, returned, options.StoreUnroutable ? "kept and tried again" : "dropped and counted");
        }
    }

    private long Waiting => ledger.Snapshot() is var now ? now.WaitingMemory + now.WaitingFallback : 0;
}
