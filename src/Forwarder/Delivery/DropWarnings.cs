using KeyEvt.Forwarder.Outbox;
using Microsoft.Extensions.Logging;

namespace KeyEvt.Forwarder.Delivery;

/// <summary>Says how many events had to make room for newer ones: not each time, and the last word is always the present sum.</summary>
internal sealed class DropWarnings(Ledger ledger, DeliveryOptions options, WarningGate warnings, ILogger logger)
{
    private long _saidOfMemory;
    private long _saidOfCap;

    public void Warn()
    {
        if (ledger.Dropped(DropReason.MemoryFull) is var full && full != _saidOfMemory && warnings.MayWarn(2107))
        {
            _saidOfMemory = full;
            DeliveryLog.MemoryFull(logger, options.BufferBytes, full);
        }

        if (ledger.Dropped(DropReason.FallbackCap) is var capped && capped != _saidOfCap && warnings.MayWarn(2110))
        {
            _saidOfCap = capped;
            DeliveryLog.StoreCapped(logger, capped);
        }
    }
}
