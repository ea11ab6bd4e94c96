"""Programs as a user of NumPy writes them: nothing here knows that derivatives exist."""

import numpy as np


def mixture_log_likelihood(x, log_weights, means, covariances):
    """Log-likelihood of points (n, d) in a mixture of k Gaussians.

    Weights are given by their unnormalised logarithms (k,), means are (k, d), covariances
    (k, d, d).
    """
    d = x.shape[1]
    log_weights = log_weights - np.logaddexp.reduce(log_weights)
    terms = []
    for k in range(means.shape[0]):
        centred = x - means[k]
        factor = np.linalg.cholesky(covariances[k])
        white = np.linalg.solve(factor, centred.T)
        log_det = 2 * np.sum(np.log(np.diag(factor)))
        squares = np.sum(white**2, axis=0)
        terms.append(log_weights[k] - 0.5 * (d * np.log(2 * np.pi) + log_det + squares))
    terms = np.stack(terms, axis=1)
    largest = np.max(terms, axis=1, keepdims=True)
    return np.sum(largest[:, 0] + np.log(np.sum(np.exp(terms - largest), axis=1)))


def kalman_log_likelihood(observations, F, H, Q, R, mean, covariance):
    """Log-likelihood of observations (t, m) of a linear system with Gaussian noise."""
    total = 0.0
    identity = np.eye(F.shape[0])
    for y in observations:
        mean = F @ mean
        covariance = F @ covariance @ F.T + Q
        innovation = y - H @ mean
        S = H @ covariance @ H.T + R
        gain = covariance @ H.T @ np.linalg.inv(S)
        log_det = np.linalg.slogdet(S)[1]
        distance = innovation @ np.linalg.solve(S, innovation)
        total = total - 0.5 * (len(y) * np.log(2 * np.pi) + log_det + distance)
        mean = mean + gain @ innovation
        covariance = (identity - gain @ H) @ covariance
        covariance = 0.5 * (covariance + covariance.T)
    return total


def natural_spline(x, y, at):
    """The natural cubic spline through the points (x, y), evaluated at ``at``."""
    n = len(x)
    h = np.diff(x)
    slope = np.diff(y) / h
    # The second derivatives at the inner knots solve a tridiagonal system; at the ends they are 0.
    diagonal = np.diag(2 * (h[:-1] + h[1:]))
    beside = np.diag(h[1:-1], 1) + np.diag(h[1:-1], -1)
    inner = np.linalg.solve(diagonal + beside, 6 * np.diff(slope))
    bend = np.concatenate(([0.0], inner, [0.0]))
    i = np.clip(np.searchsorted(x, at) - 1, 0, n - 2)
    left = (x[i + 1] - at) / h[i]
    right = (at - x[i]) / h[i]
    cubic = (left**3 - left) * bend[i] + (right**3 - right) * bend[i + 1]
    return left * y[i] + right * y[i + 1] + cubic * h[i] ** 2 / 6
