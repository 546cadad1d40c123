using KeyEvt.Forwarder.Fallback;
using KeyEvt.Forwarder.Fallback.Lists;
using KeyEvt.Forwarder.Signals;
using Microsoft.Extensions.Logging;

namespace KeyEvt.Forwarder.Delivery.Stores;

/// <summary>In which stores have earlier runs left something? A search that does not reach every place is logged and repeated.</summary>
/// <remarks>All fields belong to the delivery loop. The search runs beside it and touches none of them: what it found is the result of its task.</remarks>
internal sealed class StoreSearch(IEventStoreSelector stores, Random random, AsyncSignal signal, TimeProvider time, ILogger logger)
{
    /// <summary>How long events wait for a search that fails. A failover takes less.</summary>
    private static readonly TimeSpan WaitedFor = TimeSpan.FromSeconds(30);

    private readonly Backoff _backoff = new(TimeSpan.FromMilliseconds(100), TimeSpan.FromSeconds(5), random);
    private Task<(IReadOnlyList<NamedStore> Found, string? Fault)>? _running;
    private long _notBefore;
    private long _failingSince; // 0: the last one was complete, or there was none
    private bool _isGivenUp; // what the search under way finds is of no interest any more

    public bool IsRunning => _running is not null;

    /// <summary>Whether a search still runs that was given up.</summary>
    public bool IsEnding => _running is not null && _isGivenUp;

    /// <summary>The search under way, for tests that wait for it.</summary>
    internal Task Running => _running ?? Task.CompletedTask;

    /// <summary>Why the last search is not complete; null when it is. Written by the delivery loop; reports read it as it is.</summary>
    public string? Fault { get; private set; }

    /// <summary>Whether searches have failed for so long that nothing waits for them any more.</summary>
    public bool IsAway => _failingSince != 0 && time.GetElapsedTime(_failingSince) > WaitedFor;

    public void StartIfDue()
    {
        if (stores.IsSearched || _running is not null || time.GetTimestamp() < _notBefore) return;

        _running = RunAsync();
        _ = _running.ContinueWith(static (_, s) => ((AsyncSignal)s!).Set(), signal, CancellationToken.None, TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);
    }

    /// <summary>As if nothing had been searched yet: what is in the lists is another member's from here on.</summary>
    public void Forget()
    {
        _backoff.Reset();
        (_notBefore, _failingSince, Fault, _isGivenUp) = (0, 0, null, _running is not null);
        if (!_isGivenUp) stores.SearchAnew();
    }

    /// <summary>The stores that a finished search has found something in; null when none has finished.</summary>
    public IReadOnlyList<NamedStore>? TakeOutcome()
    {
        if (_running is not { IsCompleted: true } finished) return null;

        _running = null;
        var (found, fault) = finished.GetAwaiter().GetResult(); // throws a bug only, and the delivery loop ends with it
        if (_isGivenUp)
        {
            _isGivenUp = false;
            stores.SearchAnew();
            return [];
        }

        Fault = fault;
        if (Fault is null) _failingSince = 0;
        else Failed(Fault);
        return found;
    }

    private async Task<(IReadOnlyList<NamedStore> Found, string? Fault)> RunAsync()
    {
        try
        {
            var found = await Task.Run(stores.SearchAsync).ConfigureAwait(false);
            return (found, stores.IsSearched ? null : "not every master was reached");
        }
        catch (StoreException e)
        {
            return ([], e.Message);
        }
    }

    private void Failed(string fault)
    {
        var delay = _backoff.Next();
        if (_failingSince == 0) _failingSince = time.GetTimestamp();
        _notBefore = time.TimestampAfter(delay);
        if (_backoff.Failures is 1 or 10 || _backoff.Failures % 100 == 0) StoreLog.NotSearched(logger, fault, (int)delay.TotalMilliseconds);
    }
}
