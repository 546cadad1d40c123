using KeyEvt.Forwarder.Delivery.Stores;
using KeyEvt.Forwarder.Fallback;
using KeyEvt.Forwarder.Signals;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;
using Xunit;

namespace KeyEvt.Forwarder.Tests.Delivery;

/// <summary>Where does a store's step run, and when is it tried again?</summary>
public sealed class StoreStepRunnerTests
{
    private readonly FakeTimeProvider _time = new();
    private readonly StoreStepRunner _steps;

    public StoreStepRunnerTests() => _steps = new StoreStepRunner(Random.Shared, new AsyncSignal(), _time, NullLogger.Instance);

    [Fact]
    public async Task A_failed_step_is_told_that_it_is_a_retry_and_comes_when_it_is_due_and_not_before()
    {
        var tries = new List<bool>();
        _steps.Start(isRetry =>
        {
            tries.Add(isRetry);
            return Task.FromException<Action>(new StoreException("not now"));
        });
        await EndAsync();
        Assert.Equal([false], tries);

        _time.Advance(TimeSpan.FromTicks(_steps.NotBefore - _time.GetTimestamp() - 1));
        _steps.RetryIfDue();
        Assert.False(_steps.IsBusy);
        _time.Advance(TimeSpan.FromTicks(1));
        _steps.RetryIfDue();
        Assert.True(_steps.IsBusy);
        await EndAsync();
        Assert.Equal([false, true], tries);
    }

    [Fact]
    public async Task After_a_success_the_pause_behind_the_next_failure_is_short_again()
    {
        var fails = true;
        Func<bool, Task<Action>> step = _ => fails ? Task.FromException<Action>(new StoreException("not now")) : Task.FromResult<Action>(static () => { });
        _steps.Start(step);
        await EndAsync();
        for (var failure = 1; failure < 10; failure++) await RetryAsync();
        Assert.True(_time.GetElapsedTime(_time.GetTimestamp(), _steps.NotBefore) > TimeSpan.FromSeconds(1));

        fails = false;
        await RetryAsync();
        fails = true;
        _steps.Start(step);
        await EndAsync();
        Assert.InRange(_time.GetElapsedTime(_time.GetTimestamp(), _steps.NotBefore), TimeSpan.Zero, TimeSpan.FromMilliseconds(200));

        async Task RetryAsync()
        {
            _time.Advance(TimeSpan.FromSeconds(10));
            _steps.RetryIfDue();
            await EndAsync();
        }
    }

    [Theory]
    [InlineData(null)]
    [InlineData(7L)] // another member has the list: who goes on without it would send what is that member's
    public async Task A_store_that_refuses_for_long_is_no_longer_waited_for_but_not_if_another_member_has_it(long? fencedBy)
    {
        _steps.Start(_ => Task.FromException<Action>(new StoreException("no") { IsRefusal = true, FencedBy = fencedBy }));
        await EndAsync();
        for (var failure = 0; failure < 8; failure++)
        {
            _time.Advance(TimeSpan.FromSeconds(10));
            _steps.RetryIfDue();
            await EndAsync();
        }

        Assert.Equal(fencedBy is null, _steps.IsUnreadable);
    }

    [Fact]
    public async Task A_store_that_keeps_its_thread_does_not_keep_the_loop()
    {
        using var mayEnd = new ManualResetEventSlim();
        _steps.Start(_ =>
        {
            Assert.True(mayEnd.Wait(TimeSpan.FromSeconds(20), TestContext.Current.CancellationToken));
            return Task.FromResult<Action>(static () => { });
        });
        mayEnd.Set(); // not reached while the step runs on this thread
        await EndAsync();
        Assert.True(_steps.HasSucceeded);
    }

    private async Task EndAsync()
    {
        await _steps.Running;
        Assert.True(_steps.TakeOutcome());
    }
}
