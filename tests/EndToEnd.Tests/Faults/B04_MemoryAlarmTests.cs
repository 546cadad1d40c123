// Row B04: what happens while the broker has a memory alarm and reads nothing?
using KeyEvt.EndToEnd.Tests.Support;
using Xunit;

namespace KeyEvt.EndToEnd.Tests.Faults;

[Collection(OwnBrokerGroup.Name)]
public sealed class B04_MemoryAlarmTests(OwnBroker broker)
{
    [Fact]
    public Task While_the_broker_has_a_memory_alarm_events_are_stored_and_the_connection_is_kept() =>
        BrokerAlarms.StoresAsync(broker, ["set_vm_memory_high_watermark", "0"], "memory", "vm_memory_high_watermark");
}
