using KeyEvt.Forwarder.Config;
using KeyEvt.Forwarder.Delivery;
using KeyEvt.Forwarder.Events;
using KeyEvt.Forwarder.Signals;

namespace KeyEvt.Forwarder.Agreement;

/// <summary>What follows in this program from a configuration that the group has put into force?</summary>
/// <remarks>
/// The filter sees it at once, between two events. Feeds and delivery are told a moment later by a loop of its own: who puts it into force holds the lock
/// of a feed, and the feeds have locks of their own.
/// </remarks>
internal sealed class ConfigOutlet(CurrentConfig current, Action<EventClass> want, DeliveryLoop delivery, TimeProvider time)
{
    /// <summary>How long classes are subscribed to that a change has announced. Longer than any change takes.</summary>
    private static readonly TimeSpan PreparedFor = TimeSpan.FromSeconds(15);

    /// <summary>The same once they are wanted: another change that has announced them may still be under way.</summary>
    private static readonly TimeSpan WantedFor = TimeSpan.FromSeconds(2);

    private readonly AsyncSignal _changed = new();
    private readonly Lock _gate = new();
    private EventClass _prepared;
    private long _preparedAt;
    private bool _isPreparedWanted;

    // Used by the loop only.
    private EventClass? _wanted;
    private ForwarderConfig _told = current.Value;

    /// <summary>Puts a configuration into force. Any thread; does not wait.</summary>
    public void Put(ForwarderConfig config)
    {
        current.Change(_ => config, static (_, _) => { });
        lock (_gate) _isPreparedWanted |= (_prepared & ~config.Wanted) == EventClass.None;
        _changed.Set();
    }

    /// <summary>Subscribes to these classes too, for a while. Any thread; does not wait.</summary>
    public void Prepare(EventClass classes)
    {
        lock (_gate) (_prepared, _preparedAt, _isPreparedWanted) = (_prepared | classes, time.GetTimestamp(), false);
        _changed.Set();
    }

    /// <summary>Looks whether prepared classes are no longer to be subscribed to. Any thread.</summary>
    public void Look() => _changed.Set();

    public async Task RunAsync(CancellationToken stop)
    {
        await using var stopping = stop.Register(_changed.Set).ConfigureAwait(false);
        while (!stop.IsCancellationRequested)
        {
            Tell();
            await _changed.WaitAsync().ConfigureAwait(false);
        }
    }

    private void Tell()
    {
        var now = current.Value;
        var wanted = now.Wanted | Prepared();
        if (wanted != _wanted)
        {
            _wanted = wanted;
            want(wanted);
        }

        if (ReferenceEquals(now, _told)) return;

        var wasStopped = _told.IsStopped;
        _told = now;
        delivery.ConfigChanged();
        if (now.IsStopped && !wasStopped) _ = delivery.DisconnectAsync();
        if (!now.IsStopped && wasStopped) _ = delivery.ConnectAsync();
    }

    private EventClass Prepared()
    {
        lock (_gate)
        {
            if (_prepared != EventClass.None && time.GetElapsedTime(_preparedAt) > (_isPreparedWanted ? WantedFor : PreparedFor))
            {
                _prepared = EventClass.None;
            }

            return _prepared;
        }
    }
}
