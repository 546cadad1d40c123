using System.Diagnostics.Metrics;
using System.Text;
using KeyEvt.Forwarder.Delivery.Publishing;
using KeyEvt.Forwarder.Events;
using Microsoft.Extensions.Time.Testing;
using Xunit;

namespace KeyEvt.Forwarder.Tests.Delivery;

/// <summary>Is the time until a confirm measured, wherever the event has been meanwhile, and for nothing?</summary>
public sealed class ConfirmTimesTests : IDisposable
{
    private readonly Meter _meter = new("test");
    private readonly MeterListener _listener = new();
    private readonly List<double> _ages = [];
    private readonly List<double> _confirms = [];

    public void Dispose()
    {
        _listener.Dispose();
        _meter.Dispose();
    }

    [Fact]
    public async Task An_events_age_and_the_brokers_time_are_two_things()
    {
        var rig = new DeliveryRig(meter: _meter);
        Listen();
        await rig.RouteOneAsync();
        Forget();
        var readAt = rig.Time.GetUtcNow().ToUnixTimeMilliseconds() - 2000;
        Give(rig, readAt);
        Give(rig, readAt + 500);
        await rig.SettleAsync();
        rig.Time.Advance(TimeSpan.FromSeconds(0.25));
        rig.Broker.Current!.ConfirmUpTo(2);
        await rig.SettleAsync();
        Assert.Equal([2.25, 1.75], _ages);
        Assert.Equal([0.25, 0.25], _confirms);
    }

    [Fact]
    public void Out_of_the_fallback_storage_the_message_id_tells_when_it_was_read()
    {
        var (time, times) = Made();
        var position = new EventPosition(0xabc, (time.GetUtcNow().ToUnixTimeMilliseconds() - 60_000) << 20, 7);
        times.Answered();
        times.Confirmed(time.GetTimestamp(), unixMilliseconds: 0, Encoding.ASCII.GetBytes(position.ToString()));
        Assert.Equal([60.0], _ages);
    }

    [Theory]
    [InlineData("adopted-1234abcd-7", 0)]
    [InlineData("gap-keyevt-1-0000000000000abc-5-1", 1000)]
    public void Of_what_nobody_knows_the_time_only_the_broker_is_measured(string id, long unixMilliseconds)
    {
        var (time, times) = Made();
        times.Answered();
        times.Confirmed(time.GetTimestamp(), unixMilliseconds, Encoding.ASCII.GetBytes(id));
        Assert.Empty(_ages);
        Assert.Single(_confirms);
    }

    [Fact]
    public void A_clock_that_was_put_back_makes_no_age_below_zero()
    {
        var (time, times) = Made();
        times.Answered();
        times.Confirmed(time.GetTimestamp(), time.GetUtcNow().ToUnixTimeMilliseconds() + 5000, default);
        Assert.Equal([0.0], _ages);
    }

    [Fact]
    public void Measuring_allocates_nothing()
    {
        var (_, times) = Made(keep: false);
        var id = Encoding.ASCII.GetBytes(new EventPosition(0xabc, 1 << 20, 7).ToString());
        Measure();
        var before = GC.GetAllocatedBytesForCurrentThread();
        for (var i = 0; i < 10_000; i++) Measure();
        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);

        void Measure()
        {
            times.Answered();
            times.Confirmed(1, 0, id);
        }
    }

    private static void Give(DeliveryRig rig, long readAt) =>
        rig.Sink.Received(new EventPosition(0xabc, 1, 1), 0, EventClass.String, "set"u8, "k"u8, default, readAt);

    private (FakeTimeProvider Time, ConfirmTimes Times) Made(bool keep = true)
    {
        var time = new FakeTimeProvider(new DateTimeOffset(2026, 1, 1, 0, 0, 0, TimeSpan.Zero));
        var times = new ConfirmTimes(_meter, time);
        Listen(keep);
        return (time, times);
    }

    private void Listen(bool keep = true)
    {
        _listener.InstrumentPublished = (instrument, listener) =>
        {
            if (instrument.Meter == _meter) listener.EnableMeasurementEvents(instrument);
        };
        _listener.SetMeasurementEventCallback<double>((instrument, value, _, _) =>
        {
            if (keep) (instrument.Name == "keyevt.events.age" ? _ages : _confirms).Add(value);
        });
        _listener.Start();
    }

    private void Forget()
    {
        _ages.Clear();
        _confirms.Clear();
    }
}
