namespace KeyEvt.Forwarder;

/// <summary>Which configuration is in force? Read without a lock, once an event; changed one change at a time.</summary>
internal sealed class CurrentConfig(ForwarderConfig initial)
{
    private readonly Lock _gate = new();
    private volatile ForwarderConfig _value = initial;

    public ForwarderConfig Value => _value;

    public ForwarderConfig Change(Func<ForwarderConfig, ForwarderConfig> change)
    {
        lock (_gate)
            return _value = change(_value);
    }
}
