// Double precision: the sun and the four giant planets, attracting each other, moved on in small steps (symplectic Euler).
// Prints the total energy before and after, which must hardly differ.
//
// nbody [STEPS]
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

enum { BODIES = 5 };

// Units: astronomical units, years of 365.24 days, G times the sun's mass = 4 pi^2. Positions and velocities on 1 January 2000, rounded.
struct body {
    double at[3], velocity[3], mass;
};

static struct body body[BODIES] = {
    {{0, 0, 0}, {0, 0, 0}, 39.4784176},
    {{4.0012, 2.9386, -0.1018}, {-1.6669, 2.3433, 0.0276}, 0.0376937},  // Jupiter
    {{6.4064, 6.5698, -0.3690}, {-1.5626, 1.4205, 0.0374}, 0.0112863},  // Saturn
    {{14.4315, -13.7343, -0.2381}, {0.9800, 0.9831, -0.0091}, 0.00172372},  // Uranus
    {{16.8121, -24.9918, 0.1272}, {0.9441, 0.6459, -0.0351}, 0.00203369},  // Neptune
};

static double distance_squared(const double *a, const double *b, double *difference) {
    double sum = 0;
    for (int k = 0; k < 3; k++) {
        difference[k] = a[k] - b[k];
        sum += difference[k] * difference[k];
    }
    return sum;
}

// The sun gets the velocity that makes the sum of all momenta zero.
static void rest_at_centre(void) {
    for (int k = 0; k < 3; k++) {
        double momentum = 0;
        for (int i = 1; i < BODIES; i++) momentum += body[i].velocity[k] * body[i].mass;
        body[0].velocity[k] = -momentum / body[0].mass;
    }
}

static double energy(void) {
    double sum = 0, difference[3];
    for (int i = 0; i < BODIES; i++) {
        const double *v = body[i].velocity;
        sum += 0.5 * body[i].mass * (v[0] * v[0] + v[1] * v[1] + v[2] * v[2]);
        for (int j = 0; j < i; j++) sum -= body[i].mass * body[j].mass / sqrt(distance_squared(body[i].at, body[j].at, difference));
    }
    return sum;
}

static void step(double time) {
    for (int i = 0; i < BODIES; i++) {
        for (int j = 0; j < i; j++) {
            double difference[3];
            double squared = distance_squared(body[i].at, body[j].at, difference);
            double pull = time / (squared * sqrt(squared));
            for (int k = 0; k < 3; k++) {
                body[i].velocity[k] -= difference[k] * body[j].mass * pull;
                body[j].velocity[k] += difference[k] * body[i].mass * pull;
            }
        }
    }
    for (int i = 0; i < BODIES; i++) {
        for (int k = 0; k < 3; k++) body[i].at[k] += body[i].velocity[k] * time;
    }
}

int main(int argc, char *argv[]) {
    long steps = argc > 1 ? atol(argv[1]) : 2000000;
    rest_at_centre();
    printf("energy %.7f", energy());
    for (long i = 0; i < steps; i++) step(0.001);
    printf(" and after %ld steps %.7f\n", steps, energy());
    return 0;
}
