namespace KeyEvt.Forwarder.Signals;

/// <summary>
/// How long until the next attempt? The pause doubles from <paramref name="first"/> to <paramref name="longest"/>. Up to half of it is taken off at
/// random, so that many programs do not return at the same moment. Not thread safe.
/// </summary>
internal sealed class Backoff(TimeSpan first, TimeSpan longest, Random random)
{
    private int _failures;

    public int Failures => _failures;

    public TimeSpan Next()
    {
        var full = first * Math.Pow(2, Math.Min(_failures++, 30));
        if (full > longest) full = longest;

        return full * (0.5 + (random.NextDouble() / 2));
    }

    public void Reset() => _failures = 0;
}
