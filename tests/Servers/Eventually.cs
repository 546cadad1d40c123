// How does a test wait for something, without sleeping for a guessed time?
using System.Diagnostics;

namespace KeyEvt.Servers;

/// <summary>Polls a condition until it holds; past the deadline fails with what was waited for and what was seen last.</summary>
public static class Eventually
{
    public static readonly TimeSpan DefaultDeadline = TimeSpan.FromSeconds(40);
    private static readonly TimeSpan Interval = TimeSpan.FromMilliseconds(15);

    /// <param name="what">Ends the sentence "waited for ...".</param>
    public static Task TrueAsync(string what, Func<bool> condition, TimeSpan? deadline = null)
        => TrueAsync(what, () => Task.FromResult(condition()), deadline);

    /// <summary>The same for what comes within a millisecond and is waited for very often.</summary>
    public static Task SoonTrueAsync(string what, Func<bool> condition)
        => ValueAsync(what, () => Task.FromResult(condition()), static held => held, interval: TimeSpan.FromMilliseconds(1));

    public static async Task TrueAsync(string what, Func<Task<bool>> condition, TimeSpan? deadline = null)
        => await ValueAsync(what, condition, static held => held, deadline).ConfigureAwait(false);

    /// <summary>Asks until the answer is right, and returns it. An exception of <paramref name="ask"/> counts as a wrong answer.</summary>
    public static async Task<T> ValueAsync<T>(string what, Func<Task<T>> ask, Func<T, bool> isRight, TimeSpan? deadline = null, TimeSpan? interval = null)
    {
        var limit = deadline ?? DefaultDeadline;
        var clock = Stopwatch.StartNew();
        while (true)
        {
            string seen;
            Exception? failure = null;
            try
            {
                var answer = await ask().ConfigureAwait(false);
                if (isRight(answer)) return answer;
                seen = answer?.ToString() ?? "null";
            }
            catch (Exception e) when (e is not OutOfMemoryException)
            {
                seen = e.GetType().Name + ": " + e.Message;
                failure = e;
            }
            if (clock.Elapsed > limit)
            {
                throw new TimeoutException($"waited {limit.TotalSeconds:0.#} s for {what}; last seen: {seen}", failure);
            }

            await Task.Delay(interval ?? Interval).ConfigureAwait(false);
        }
    }

    /// <summary>The condition must hold all the time for <paramref name="span"/>: for what must not happen.</summary>
    public static async Task HoldsAsync(string what, Func<Task<bool>> condition, TimeSpan span)
    {
        var clock = Stopwatch.StartNew();
        while (clock.Elapsed < span)
        {
            if (!await condition().ConfigureAwait(false))
            {
                throw new InvalidOperationException($"after {clock.Elapsed.TotalSeconds:0.##} s it was no longer so that {what}");
            }

            await Task.Delay(Interval).ConfigureAwait(false);
        }
    }
}
