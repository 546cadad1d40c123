using KeyEvt.Forwarder.Amqp;
using KeyEvt.Forwarder.Config;
using KeyEvt.Forwarder.Filter;

namespace KeyEvt.Forwarder;

/// <summary>Do parameters fit together that are valid one by one? Checked for every configuration before it comes into force.</summary>
public static class ConfigFaults
{
    /// <summary>Null, or the first fault as one line.</summary>
    public static string? Of(ForwarderConfig config) => QueueBinding.Fault(config) ?? EventFilter.Fault(config.Events, config.Masks, config.Rules);
}
